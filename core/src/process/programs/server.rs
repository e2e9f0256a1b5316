//! Servers: they say that they are up, run for ever, and end with 0 when they
//! are asked to (SIGTERM, SIGINT).
//!
//! They answer nobody: the network comes with a later step. PostgreSQL refuses
//! to start without a password, as everybody learns once.

use super::{ContainerProgram, Printed};
use crate::process::container::ContainerHost;
use crate::process::images::Tool;
use crate::process::{Call, Io, Step};
use crate::sim::SimTime;

/// A running server.
#[derive(Clone, Debug)]
pub struct Server {
    kind: Kind,
    version: String,
    up: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Nginx,
    Redis,
    Postgres,
    Envoy,
    Pause,
    DcgmExporter,
    /// `python -m http.server`; the port.
    Http(u16),
}

/// Starts a server.
pub(super) fn start(tool: Tool, call: &Call) -> ContainerProgram {
    let argument = call.argv.get(1).map(String::as_str);
    let env = |name: &str| call.env.get(name).cloned().unwrap_or_default();
    let (kind, version) = match tool {
        Tool::Redis => (Kind::Redis, env("REDIS_VERSION")),
        Tool::Postgres => (Kind::Postgres, env("PG_MAJOR")),
        Tool::Envoy => (Kind::Envoy, String::new()),
        Tool::Pause => (Kind::Pause, String::new()),
        Tool::DcgmExporter => (Kind::DcgmExporter, String::new()),
        _ => (Kind::Nginx, env("NGINX_VERSION")),
    };
    match (kind, argument) {
        (Kind::Nginx, Some("-v")) => Printed::error(0, format!("nginx version: nginx/{version}\n")).into(),
        (Kind::Nginx, Some("-t")) => Printed::error(
            0,
            "nginx: the configuration file /etc/nginx/nginx.conf syntax is ok\n\
             nginx: configuration file /etc/nginx/nginx.conf test is successful\n",
        )
        .into(),
        // Without `daemon off;` nginx goes into the background and its caller ends.
        (Kind::Nginx, None) => Printed::default().into(),
        (Kind::Postgres, _)
            if env("POSTGRES_PASSWORD").is_empty() && env("POSTGRES_HOST_AUTH_METHOD") != "trust" =>
        {
            Printed::error(
                1,
                "Error: Database is uninitialized and superuser password is not specified.\n       \
                 You must specify POSTGRES_PASSWORD to a non-empty value for the\n       \
                 superuser. For example, \"-e POSTGRES_PASSWORD=password\" on \"docker run\".\n",
            )
            .into()
        }
        _ => ContainerProgram::Server(Server { kind, version, up: false }),
    }
}

impl Server {
    /// `python -m http.server PORT`.
    pub(super) const fn http(port: u16) -> Self {
        Self { kind: Kind::Http(port), version: String::new(), up: false }
    }

    pub(super) fn step(&mut self, host: &ContainerHost<'_>, io: &mut Io<'_>) -> Step {
        if !self.up {
            self.up = true;
            self.greet(host, io);
        }
        Step::Until(SimTime::MAX)
    }

    /// What it prints when it is up.
    fn greet(&self, host: &ContainerHost<'_>, io: &mut Io<'_>) {
        let wall = host.epoch.timestamp(host.now);
        let at = |format: &str| wall.strftime(format).to_string();
        let mut out = |text: String| io.stdout.extend_from_slice(text.as_bytes());
        match self.kind {
            Kind::Nginx => {
                out("/docker-entrypoint.sh: Configuration complete; ready for start up\n".to_owned());
                let time = at("%Y/%m/%d %H:%M:%S");
                for text in [
                    "using the \"epoll\" event method",
                    &format!("nginx/{}", self.version),
                    "start worker processes",
                ] {
                    io.stderr.extend_from_slice(format!("{time} [notice] 1#1: {text}\n").as_bytes());
                }
            }
            Kind::Redis => {
                let time = at("%d %b %Y %H:%M:%S%.3f");
                out(format!("1:C {time} * oO0OoO0OoO0Oo Redis is starting oO0OoO0OoO0Oo\n"));
                out(format!(
                    "1:C {time} * Redis version={}, bits=64, commit=00000000, modified=0, pid=1, just started\n",
                    self.version
                ));
                out(format!("1:M {time} * Ready to accept connections tcp\n"));
            }
            Kind::Postgres => {
                let time = at("%Y-%m-%d %H:%M:%S%.3f UTC");
                out("PostgreSQL init process complete; ready for start up.\n".to_owned());
                let text = format!(
                    "\n{time} [1] LOG:  starting PostgreSQL {}\n\
                     {time} [1] LOG:  listening on IPv4 address \"0.0.0.0\", port 5432\n\
                     {time} [1] LOG:  database system is ready to accept connections\n",
                    self.version
                );
                io.stderr.extend_from_slice(text.as_bytes());
            }
            Kind::Envoy => {
                let text =
                    format!("[{}][1][info][main] starting main dispatch loop\n", at("%Y-%m-%d %H:%M:%S%.3f"));
                io.stderr.extend_from_slice(text.as_bytes());
            }
            Kind::DcgmExporter => {
                let text =
                    format!("time={} level=INFO msg=\"Starting webserver\"\n", at("%Y-%m-%dT%H:%M:%S%.3fZ"));
                io.stderr.extend_from_slice(text.as_bytes());
            }
            Kind::Http(port) => {
                out(format!("Serving HTTP on 0.0.0.0 port {port} (http://0.0.0.0:{port}/) ...\n"));
            }
            Kind::Pause => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::World;
    use crate::process::Signal;
    use crate::sim::SimTime;

    #[test]
    fn a_server_says_that_it_is_up_and_ends_with_zero_when_asked() {
        let check = |image: &str, argv: &[&str], says: &str| {
            let mut world = World::new(image, &[]);
            world.env.push(("POSTGRES_PASSWORD".into(), "x".into()));
            let mut program = world.start_argv(argv.iter().map(|a| (*a).to_owned()).collect()).unwrap();
            assert_eq!(world.run_until(&mut program, SimTime::from_secs(1_000_000)), None, "{image} runs on");
            let text = world.take_stdout() + &world.take_stderr();
            assert!(text.contains(says), "{image}: {text}");
            assert_eq!(world.signal(&mut program.clone(), Signal::Kill), Some(137));
            assert_eq!(world.signal(&mut program, Signal::Term), Some(0));
        };
        check("nginx:1.27", &["nginx", "-g", "daemon off;"], "[notice] 1#1: nginx/1.27.5");
        check("redis:7.4", &["redis-server"], "Ready to accept connections tcp");
        check("postgres:17", &["postgres"], "database system is ready to accept connections");
        check("envoyproxy/envoy:v1.33", &["envoy"], "starting main dispatch loop");
        check("registry.k8s.io/pause:3.10", &["/pause"], "");
        check("python:3.12", &["python", "-m", "http.server"], "Serving HTTP on 0.0.0.0 port 8000");
    }

    #[test]
    fn postgres_wants_a_password() {
        let (_, stderr, code) = World::new("postgres:17", &[]).run("postgres");
        assert!(stderr.starts_with("Error: Database is uninitialized"), "{stderr}");
        assert_eq!(code, 1);
    }
}
