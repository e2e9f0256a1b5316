use super::super::testing::World;
use super::*;

const TORCH: &str = "pytorch/pytorch:2.7.0-cuda12.6-cudnn9-runtime";

/// Runs `python -c code`.
fn run(image: &str, gpus: &[usize], code: &str) -> (String, String, u8) {
    let mut world = World::new(image, gpus);
    let mut program = world.start_argv(["python", "-c", code].map(str::to_owned).to_vec()).unwrap();
    let code = world.run_until(&mut program, SimTime::MAX).unwrap();
    (world.take_stdout(), world.take_stderr(), code)
}

#[test]
fn it_tells_what_pytorch_sees() {
    let check = |gpus: &[usize], code: &str, expect: &str| {
        let (stdout, stderr, _) = run(TORCH, gpus, code);
        assert_eq!((stdout.trim_end(), stderr.as_str()), (expect, ""), "{code}");
    };
    check(&[0, 1], "import torch; print(torch.cuda.is_available())", "True");
    check(&[], "import torch; print(torch.cuda.is_available())", "False");
    check(&[0, 1], "import torch; print(torch.cuda.device_count())", "2");
    check(&[], "import torch\nprint(torch.cuda.device_count())", "0");
    check(&[3], "import torch; print(torch.cuda.get_device_name(0))", "NVIDIA H100 80GB HBM3");
    check(
        &[3],
        "import torch; print('torch', torch.__version__, 'cuda', torch.version.cuda)",
        "torch 2.7.0 cuda 12.6",
    );
    check(
        &[3],
        "import torch; n = torch.cuda.device_count(); print(f'{n} GPU(s), {torch.cuda.get_device_name()}')",
        "1 GPU(s), NVIDIA H100 80GB HBM3",
    );
}

#[test]
fn a_few_statements_run_as_in_python() {
    let check = |code: &str, stdout: &str, exit: u8| {
        let (out, err, got) = run("python:3.12", &[], code);
        assert_eq!((out.as_str(), got), (stdout, exit), "{code}: {err}");
    };
    check(
        "print('hello'); print(\"it's\", 1, 2.5, None, True, sep='-', end='!\\n')",
        "hello\nit's-1-2.5-None-True!\n",
        0,
    );
    check("print()", "\n", 0);
    check("x = 'a;b'  # not the end\nprint(x + \"#c\", len(x))", "a;b#c 3\n", 0);
    check(
        "import os; print(os.environ['PYTHON_VERSION'], os.environ.get('NOPE'), os.getenv('NOPE', 'no'))",
        "3.12.5 None no\n",
        0,
    );
    check("import socket; print(socket.gethostname())", "pod-1\n", 0);
    check("print(1 == 1, 'a' != 'a', 2 > 1)", "True False True\n", 0);
    check("print(f\"{'x'}{{}}\")", "x{}\n", 0);
    check("import sys; print('bye', flush=True); sys.exit(3); print('never')", "bye\n", 3);
    check("exit('no')", "", 1);
    check("", "", 0);
}

#[test]
fn errors_are_pythons() {
    let check = |code: &str, expect: &str| {
        let (_, stderr, exit) = run("python:3.12", &[0], code);
        assert_eq!((stderr.lines().last().unwrap_or_default(), exit), (expect, 1), "{code}: {stderr}");
    };
    check("import torch", "ModuleNotFoundError: No module named 'torch'");
    check("print(x)", "NameError: name 'x' is not defined");
    check("import os; print(os.environ['NOPE'])", "KeyError: 'NOPE'");
    check("for i in range(3): print(i)", "not modelled: Python's `for`");
    check("print([1, 2])", "not modelled: Python's expression `[1, 2]`");
    check("open('/x')", "not modelled: Python's expression `open('/x')`");
    let (_, stderr, _) = run(TORCH, &[], "import torch; print(torch.cuda.get_device_name(0))");
    assert_eq!(
        stderr,
        "Traceback (most recent call last):\n  File \"<string>\", line 1, in <module>\nRuntimeError: Found no NVIDIA \
         driver on your system. Please check that you have an NVIDIA GPU and installed a driver from \
         http://www.nvidia.com/Download/index.aspx\n"
    );
}

#[test]
fn its_arguments_are_those_of_python() {
    let mut world = World::new("python:3.12", &[]);
    let mut check = |command: &str, stdout: &str, stderr: &str, exit: u8| {
        assert_eq!(world.run(command), (stdout.to_owned(), stderr.to_owned(), exit), "{command}");
    };
    check("python -V", "Python 3.12.5\n", "", 0);
    check(
        "python nosuch.py",
        "",
        "python: can't open file '/nosuch.py': [Errno 2] No such file or directory\n",
        2,
    );
    check("python -c", "", "Argument expected for the -c option\n", 2);
    check("python -m nosuch", "", "/usr/bin/python: No module named nosuch\n", 1);
    check("python -u -c print(1)", "1\n", "", 0);
    check("python", "", "", 0);
    world.stdin = "print('from stdin')\n".to_owned();
    assert_eq!(world.run("python -").0, "from stdin\n");
}

#[test]
fn a_file_is_run_line_by_line_and_sleeps() {
    let mut world = World::new("python:3.12", &[]);
    let source = "\"\"\"A text.\"\"\"\nimport time\nprint('one')\ntime.sleep(1.5)\nprint(two)\n";
    world.files.write("/app.py", source, SimTime::ZERO).unwrap();
    let (stdout, stderr, code) = world.run("python app.py");
    assert_eq!((stdout.as_str(), code, world.now), ("one\n", 1, SimTime::from_millis(1500)));
    assert_eq!(
        stderr,
        "Traceback (most recent call last):\n  File \"/app.py\", line 5, in <module>\n    print(two)\nNameError: name \
         'two' is not defined\n"
    );
}

proptest::proptest! {
    #[test]
    fn no_program_breaks_it(source in "(print|import|x|=|\\(|\\)|'|\"|f'|\\{|\\}|;|#|,|\\+|os\\.environ|\\[|\\]|\n| |1|é){0,24}|\\PC{0,40}") {
        let mut world = World::new("python:3.12", &[]);
        if let Some(mut program) = world.start_argv(vec!["python".into(), "-c".into(), source]) {
            let _ = world.run_until(&mut program, SimTime::MAX);
        }
    }
}
