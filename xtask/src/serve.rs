//! A static file server: enough HTTP/1.1 for a browser on the same machine, and nothing that could reach outside the
//! folder. It answers `GET` and `HEAD`, one thread per connection, and closes after each answer.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

/// No request line or header of a browser is longer; more is not read.
const LONGEST_HEAD: u64 = 64 * 1024;
const PATIENCE: Duration = Duration::from_secs(10);

/// A server that listens, and serves once it is told what.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
}

impl Server {
    /// Listens on `address`; port 0 takes a free one.
    ///
    /// # Errors
    /// When the port is taken or not allowed.
    pub fn bind(address: SocketAddr) -> std::io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address })
    }

    /// The address with the port that was taken.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves the files under `root` until the process ends.
    pub fn run(self, root: &Path) {
        self.run_and_tell(root, |_| {});
    }

    /// The same, and tells the path of each request before it is answered.
    pub fn run_and_tell(self, root: &Path, tell: impl Fn(&str) + Send + Sync + 'static) {
        let root: Arc<Path> = root.into();
        let tell = Arc::new(tell);
        for stream in self.listener.incoming().flatten() {
            let (root, tell) = (Arc::clone(&root), Arc::clone(&tell));
            // A client that goes away in the middle of an answer is none of our business.
            thread::spawn(move || answer(stream, &root, &*tell).ok());
        }
    }
}

fn answer(mut stream: TcpStream, root: &Path, tell: &dyn Fn(&str)) -> std::io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut reader = BufReader::new(stream.try_clone()?.take(LONGEST_HEAD));
    let mut request = String::new();
    reader.read_line(&mut request)?;
    // The head is read to its end: closing with unread bytes would reset the connection under the answer.
    let mut header = String::new();
    while reader.read_line(&mut header)? > 2 {
        header.clear();
    }
    tell(path_and_query(&request).0);
    let reply = reply(&request, root);
    write!(stream, "HTTP/1.1 {}\r\nContent-Type: {}\r\n", reply.status, reply.mime)?;
    write!(stream, "Content-Length: {}\r\nConnection: close\r\n", reply.body.len())?;
    write!(stream, "X-Content-Type-Options: nosniff\r\nCache-Control: no-cache\r\n")?;
    if let Some(location) = reply.location {
        write!(stream, "Location: {location}\r\n")?;
    }
    stream.write_all(b"\r\n")?;
    if !reply.head {
        stream.write_all(&reply.body)?;
    }
    stream.flush()
}

struct Reply {
    status: &'static str,
    mime: &'static str,
    location: Option<String>,
    head: bool,
    body: Vec<u8>,
}

impl Reply {
    fn text(status: &'static str) -> Self {
        let body = format!("{status}\n").into_bytes();
        Self { status, mime: "text/plain; charset=utf-8", location: None, head: false, body }
    }
}

fn path_and_query(request: &str) -> (&str, &str) {
    let target = request.split_ascii_whitespace().nth(1).unwrap_or_default();
    target.split_once('?').unwrap_or((target, ""))
}

fn reply(request: &str, root: &Path) -> Reply {
    let method = request.split_ascii_whitespace().next().unwrap_or_default();
    if !matches!(method, "GET" | "HEAD") {
        return Reply::text("405 Method Not Allowed");
    }
    let (path, query) = path_and_query(request);
    let Some(mut file) = resolve(path, root) else {
        return Reply::text("403 Forbidden");
    };
    if file.is_dir() {
        if !path.ends_with('/') {
            // Relative links in the folder's page need the slash. One leading slash, or `//host` would lead away.
            let query = if query.is_empty() { String::new() } else { format!("?{query}") };
            let location = format!("/{}/{query}", path.trim_start_matches('/'));
            return Reply { location: Some(location), ..Reply::text("301 Moved Permanently") };
        }
        file.push("index.html");
    }
    match fs::read(&file) {
        Ok(body) => {
            Reply { status: "200 OK", mime: mime(&file), location: None, head: method == "HEAD", body }
        }
        Err(_) => Reply::text("404 Not Found"),
    }
}

/// The file that a path of a URL names, or nothing when it would lie outside the folder: by `..`, by an absolute
/// path, or by a link.
fn resolve(path: &str, root: &Path) -> Option<PathBuf> {
    let decoded = percent_decoded(path)?;
    let mut file = root.to_path_buf();
    for component in Path::new(decoded.trim_start_matches('/')).components() {
        match component {
            Component::Normal(name) => file.push(name),
            Component::CurDir => {}
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    match (file.canonicalize(), root.canonicalize()) {
        (Ok(real), Ok(root)) if !real.starts_with(&root) => None,
        _ => Some(file),
    }
}

fn percent_decoded(path: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [rest.next()?, rest.next()?];
            let digits = std::str::from_utf8(&digits).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok().filter(|text| !text.contains(['\0', '\\', '\r', '\n']))
}

/// Browsers refuse modules and streaming compilation of WebAssembly unless the type is exactly right.
fn mime(file: &Path) -> &'static str {
    match file.extension().and_then(|extension| extension.to_str()).unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "wasm" => "application/wasm",
        "json" | "map" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "woff" => "font/woff",
        "ttf" => "font/ttf",
        "txt" | "md" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A site with a page in a folder, and a secret beside the site.
    fn site(name: &str) -> PathBuf {
        let base = std::env::temp_dir().join(format!("clusterlab-serve-{name}-{}", std::process::id()));
        let root = base.join("site");
        fs::create_dir_all(root.join("book")).unwrap();
        fs::write(root.join("book/index.html"), "the book").unwrap();
        fs::write(root.join("a b.wasm"), "wasm").unwrap();
        fs::write(base.join("secret.txt"), "secret").unwrap();
        root
    }

    fn check(name: &str, request: &str, status: &str, mime: &str) -> Reply {
        let reply = reply(request, &site(name));
        assert_eq!((reply.status, reply.mime), (status, mime), "{request}");
        reply
    }

    const TEXT: &str = "text/plain; charset=utf-8";

    #[test]
    fn a_folder_answers_with_its_page() {
        let reply = check("folder", "GET /book/ HTTP/1.1\r\n", "200 OK", "text/html; charset=utf-8");
        assert_eq!(reply.body, b"the book");
    }

    #[test]
    fn a_folder_without_its_slash_is_redirected_so_that_relative_links_hold() {
        let reply = check("slash", "GET /book?x=1 HTTP/1.1\r\n", "301 Moved Permanently", TEXT);
        assert_eq!(reply.location.as_deref(), Some("/book/?x=1"));
    }

    #[test]
    fn a_redirect_never_leads_to_another_host() {
        let reply = check("host", "GET //book HTTP/1.1\r\n", "301 Moved Permanently", TEXT);
        assert_eq!(reply.location.as_deref(), Some("/book/"));
    }

    #[test]
    fn wasm_has_the_type_that_browsers_ask_for_and_names_may_be_encoded() {
        check("wasm", "GET /a%20b.wasm?v=2 HTTP/1.1\r\n", "200 OK", "application/wasm");
    }

    #[test]
    fn nothing_outside_the_folder_is_served() {
        for path in ["/../secret.txt", "/book/../../secret.txt", "/%2e%2e/secret.txt", "/%2e%2e%2fsecret.txt"]
        {
            check("outside", &format!("GET {path} HTTP/1.1\r\n"), "403 Forbidden", TEXT);
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_link_does_not_lead_outside() {
        let root = site("link");
        let link = root.join("link.txt");
        fs::remove_file(&link).ok();
        std::os::unix::fs::symlink("../secret.txt", link).unwrap();
        assert_eq!(reply("GET /link.txt HTTP/1.1\r\n", &root).status, "403 Forbidden");
    }

    #[test]
    fn what_is_not_there_or_not_understood_gets_an_error_and_no_panic() {
        check("absent", "GET /nothing HTTP/1.1\r\n", "404 Not Found", TEXT);
        check("method", "POST / HTTP/1.1\r\n", "405 Method Not Allowed", TEXT);
        check("empty", "\r\n", "405 Method Not Allowed", TEXT);
        check("percent", "GET /%zz HTTP/1.1\r\n", "403 Forbidden", TEXT);
    }
}
