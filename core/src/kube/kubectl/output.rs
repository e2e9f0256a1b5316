//! `-o`: the forms in which objects can be printed.

use serde_json::{Value, json};

use super::command::Run;
use super::error::{Error, Result, fail};
use super::jsonpath::{JsonPath, relaxed};
use super::print::{self, TabWriter};

/// A form.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Output {
    Table { wide: bool },
    Json,
    Yaml,
    Name,
    JsonPath(JsonPath),
    JsonPathAsJson(JsonPath),
    Columns(CustomColumns),
}

/// What `kubectl get` allows.
pub(super) const GET_FORMATS: &str = "custom-columns,custom-columns-file,go-template,go-template-file,json,jsonpath,jsonpath-as-json,jsonpath-file,kyaml,name,template,templatefile,wide,yaml";
/// What commands allow that print a changed object.
pub(super) const CHANGE_FORMATS: &str = "go-template,go-template-file,json,jsonpath,jsonpath-as-json,jsonpath-file,kyaml,name,template,templatefile,yaml";

impl Output {
    /// Reads `-o` (and `--template`); `allowed` are the names that an error lists.
    ///
    /// # Errors
    ///
    /// kubectl's own, for a form that does not exist or a template that cannot be parsed.
    pub fn parse(run: &Run<'_, '_>, allowed: &str) -> Result<Option<Self>> {
        let Some(text) = run.flags.text("output").filter(|text| !text.is_empty()) else { return Ok(None) };
        let (name, argument) =
            text.split_once('=').map_or((text, None), |(name, argument)| (name, Some(argument)));
        let argument = argument.or_else(|| run.flags.text("template")).unwrap_or_default();
        if !allowed.split(',').any(|allowed| allowed == name) {
            return fail(format!(
                "unable to match a printer suitable for the output format {}, allowed formats are: {allowed}",
                print::go_quote(text)
            ));
        }
        let read = |path: &str| -> Result<String> {
            let bytes = super::documents::read_file(run.ctx, path).ok_or_else(|| {
                Error::Message(format!(
                    "error reading --template {path}, open {path}: no such file or directory"
                ))
            })?;
            Ok(String::from_utf8_lossy(&bytes).into_owned())
        };
        Ok(Some(match name {
            "wide" => Self::Table { wide: true },
            "json" => Self::Json,
            "yaml" => Self::Yaml,
            "name" => Self::Name,
            "jsonpath" | "jsonpath-as-json" | "jsonpath-file" => {
                if argument.is_empty() {
                    return fail("template format specified but no template given");
                }
                let template = if name == "jsonpath-file" { read(argument)? } else { argument.to_owned() };
                let path = JsonPath::parse(&template)
                    .map_err(|error| Error::Message(format!("error parsing jsonpath {template}, {error}")))?;
                if name == "jsonpath-as-json" { Self::JsonPathAsJson(path) } else { Self::JsonPath(path) }
            }
            "custom-columns" | "custom-columns-file" => {
                let columns = if name == "custom-columns" {
                    CustomColumns::parse(argument)?
                } else {
                    CustomColumns::parse_file(&read(argument)?)?
                };
                Self::Columns(CustomColumns { no_headers: run.flags.on("no-headers"), ..columns })
            }
            other => return fail(format!("not modelled: -o {other}")),
        }))
    }

    /// Prints one object, or a list of several.
    ///
    /// # Errors
    ///
    /// A template that cannot be applied.
    pub fn print(&self, value: &Value) -> Result<String> {
        match self {
            Self::Json => Ok(print::pretty(value) + "\n"),
            Self::Yaml => Ok(print::yaml(value)),
            Self::Name => Ok(items(value).map(|item| name_of(item) + "\n").collect()),
            Self::JsonPath(path) => path.print(value).map_err(|error| template_error(path, value, &error.0)),
            Self::JsonPathAsJson(path) => {
                path.print_json(value).map_err(|error| template_error(path, value, &error.0))
            }
            Self::Columns(columns) => {
                let mut writer = TabWriter::table();
                columns.header(&mut writer);
                for item in items(value) {
                    columns.row(item, &mut writer)?;
                }
                Ok(writer.flush())
            }
            Self::Table { .. } => Ok(String::new()),
        }
    }
}

/// The objects of a list, or the one object.
fn items(value: &Value) -> impl Iterator<Item = &Value> {
    let list = value["kind"].as_str().is_some_and(|kind| kind.ends_with("List"));
    let inner = if list { value["items"].as_array() } else { None };
    let single = inner.is_none().then_some(value);
    inner.into_iter().flatten().chain(single)
}

/// `pod/web`, `priorityclass.scheduling.k8s.io/high`
pub(super) fn name_of(value: &Value) -> String {
    let kind = value["kind"].as_str().unwrap_or_default().to_lowercase();
    let name = value["metadata"]["name"].as_str().unwrap_or_default();
    match value["apiVersion"].as_str().and_then(|version| version.split_once('/')) {
        Some((group, _)) => format!("{kind}.{group}/{name}"),
        None => format!("{kind}/{name}"),
    }
}

/// `kind: List`, as kubectl puts together what it got.
pub(super) fn list_of(items: Vec<Value>) -> Value {
    let mut list = json!({"apiVersion": "v1", "kind": "List", "metadata": {"resourceVersion": ""}});
    list["items"] = Value::Array(items);
    list
}

fn template_error(path: &JsonPath, value: &Value, message: &str) -> Error {
    Error::Message(format!(
        "error executing jsonpath {}: Error executing template: {message}. Printing more information for debugging the template:\n\ttemplate was:\n\t\t{}\n\tobject given to jsonpath engine was:\n\t\t{}\n\n",
        print::go_quote(path.source()),
        path.source(),
        print::go_syntax(value)
    ))
}

/// `-o custom-columns=NAME:.metadata.name,…`
#[derive(Clone, Debug, PartialEq)]
pub(super) struct CustomColumns {
    columns: Vec<(String, JsonPath)>,
    no_headers: bool,
}

impl CustomColumns {
    fn parse(spec: &str) -> Result<Self> {
        if spec.is_empty() {
            return fail("custom-columns format specified but no custom columns given");
        }
        let column = |part: &str| {
            let Some((header, path)) = part.split_once(':') else {
                return fail(format!(
                    "unexpected custom-columns spec: {part}, expected <header>:<json-path-expr>"
                ));
            };
            Ok((header.to_owned(), column_path(path)?))
        };
        Ok(Self { columns: spec.split(',').map(column).collect::<Result<_>>()?, no_headers: false })
    }

    fn parse_file(text: &str) -> Result<Self> {
        let mut lines = text.lines();
        let headers: Vec<&str> = lines.next().unwrap_or_default().split_whitespace().collect();
        let paths: Vec<&str> = lines.next().unwrap_or_default().split_whitespace().collect();
        if headers.len() != paths.len() || headers.is_empty() {
            return fail(format!(
                "number of headers ({}) and field specifications ({}) don't match",
                headers.len(),
                paths.len()
            ));
        }
        let column = |(header, path): (&&str, &&str)| Ok(((*header).to_owned(), column_path(path)?));
        let columns = headers.iter().zip(&paths).map(column).collect::<Result<_>>()?;
        Ok(Self { columns, no_headers: false })
    }

    /// Writes the line of headers, unless `--no-headers` was given.
    pub fn header(&self, writer: &mut TabWriter) {
        if self.no_headers {
            return;
        }
        let headers: Vec<&str> = self.columns.iter().map(|(header, _)| header.as_str()).collect();
        writer.write(&(headers.join("\t") + "\n"));
    }

    /// Writes the line of one object.
    ///
    /// # Errors
    ///
    /// A path that cannot be applied to it.
    pub fn row(&self, value: &Value, writer: &mut TabWriter) -> Result<()> {
        let mut cells = Vec::new();
        for (_, path) in &self.columns {
            let found = path.find(value).map_err(|error| Error::Message(error.0))?;
            let texts: Vec<String> = found.iter().flatten().map(print::go_value).collect();
            cells.push(if texts.is_empty() { "<none>".to_owned() } else { texts.join(",") });
        }
        writer.write(&(cells.join("\t") + "\n"));
        Ok(())
    }
}

fn column_path(path: &str) -> Result<JsonPath> {
    relaxed(path).and_then(|path| JsonPath::parse(&path)).map_err(|error| Error::Message(error.0))
}
