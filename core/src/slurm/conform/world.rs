//! The recorder's machine, as far as its commands can tell: users' environments, files, one small image.
//!
//! Recordings name these files and not what is in them; their content follows from what was printed.

use std::collections::BTreeMap;

use crate::process::files::Files;
use crate::process::images::Rootfs;
use crate::sim::SimTime;
use crate::slurm::cluster::SlurmCluster;
use crate::slurm::containers::{EnrootConf, Squash};

/// Scripts that `bad_inputs` and `pyxis_enroot` submit, and files that they read.
const FILES: [(&str, &str); 11] = [
    ("/srv/lab/noshebang.sh", "echo hello\n"),
    ("/srv/lab/empty.sh", ""),
    ("/srv/lab/dos.sh", "#!/bin/sh\r\necho hello\r\n"),
    ("/srv/lab/badopt.sh", "#!/bin/sh\n#SBATCH --nosuch=3\ntrue\n"),
    ("/srv/lab/lateopt.sh", "#!/bin/sh\n#SBATCH -o /dev/null\ntrue\n#SBATCH --nosuch=3\n"),
    ("/srv/lab/ok.sh", "#!/bin/sh\ntrue\n"),
    (
        "/srv/lab/ctr.sh",
        "#!/bin/sh\n#SBATCH -o /srv/lab/share/ctr.out\n#SBATCH --container-image=/srv/lab/labos.sqsh\n\
         grep PRETTY /etc/os-release\necho job $SLURM_JOB_ID on $SLURMD_NODENAME pid1=process_api\n",
    ),
    ("/srv/lab/share/f", "hello-host\n"),
    ("/etc/hostname", "vm\n"),
    ("/etc/hosts", "127.0.0.1 localhost\n"),
    (
        "/etc/os-release",
        "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nNAME=\"Debian GNU/Linux\"\nVERSION_ID=\"12\"\n\
         VERSION=\"12 (bookworm)\"\nVERSION_CODENAME=bookworm\nID=debian\nHOME_URL=\"https://os.example/\"\n\
         SUPPORT_URL=\"https://os.example/support\"\nBUG_REPORT_URL=\"https://bugs.os.example/\"\n",
    ),
];

/// The image `/srv/lab/labos.sqsh`: a BusyBox of 33 inodes.
fn small_image() -> Squash {
    let mut files = Files::new();
    let now = SimTime::ZERO;
    let directories = ["dev", "home", "mnt", "proc", "root", "run", "sys", "tmp", "usr/bin", "var", "work"];
    for directory in directories {
        // A fresh file system has room for some directories.
        let _ = files.create_dir_all(&format!("/{directory}"), now);
    }
    let release = "NAME=\"LabOS\"\nVERSION_ID=\"1.0\"\nPRETTY_NAME=\"LabOS 1.0 (test image)\"\n";
    let texts = [
        ("/bin/busybox", "busybox"),
        ("/etc/os-release", release),
        ("/etc/rc", "exec \"$@\"\n"),
        ("/etc/environment", "IMAGE_VAR=fromimage\n"),
        ("/etc/passwd", "root:x:0:0:root:/root:/bin/sh\n"),
        ("/etc/group", "root:x:0:\n"),
        ("/etc/shells", "/bin/sh\n"),
    ];
    for (path, text) in texts {
        let _ = files.put(path, text, now);
    }
    Squash {
        files,
        rootfs: Rootfs::Busybox,
        env: vec![("IMAGE_VAR".into(), "fromimage".into())],
        workdir: "/work".into(),
        command: vec!["/bin/sh".into()],
        size: 21 << 17,
        links: 26,
        image: None,
    }
}

/// Puts the recorder's files on a cluster.
pub(super) fn furnish(cluster: &mut SlurmCluster) {
    let now = cluster.now();
    for (path, text) in FILES {
        // The file system is empty so far.
        let _ = cluster.files.put(path, text, now);
    }
    for user in ["alice", "bob", "carol", "dave", "erin"] {
        let _ = cluster.files.create_dir_all(&format!("/home/{user}"), now);
    }
    cluster.login = "localhost".into();
    cluster.session_id = 2954;
    cluster.enroot.conf = EnrootConf {
        data_path: "/srv/enroot/data/%u".into(),
        sysconf: "/opt/enrootlab/etc/enroot".into(),
        node_local: false,
        online: false,
        nvidia: false,
        fuse: false,
        ..EnrootConf::default()
    };
    let image = small_image();
    let content = cluster.enroot.pack(image.clone());
    let _ = cluster.files.put("/srv/lab/labos.sqsh", content, now);
    // Left there by whoever tried the image first.
    let _ = cluster.create_root("", "/srv/enroot/data/1001/labos", "labos.sqsh", &image, false, None);
}

/// The environment of a user's commands.
pub(super) fn environment(user: &str, conf: &str) -> BTreeMap<String, String> {
    let home = if user == "root" { "/root".to_owned() } else { format!("/home/{user}") };
    [
        ("HOME", home.as_str()),
        ("LOGNAME", user),
        ("PATH", "/usr/local/bin:/usr/bin:/bin"),
        ("SHELL", "/bin/sh"),
        ("SLURM_CONF", conf),
        ("TERM", ""),
        ("TMPDIR", "/tmp"),
        ("TZ", "UTC"),
        ("USER", user),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .collect()
}
