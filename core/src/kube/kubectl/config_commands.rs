//! `kubectl config`: which cluster, as whom, in which namespace.

use super::command::{Next, Run};
use super::config::NamedContext;
use super::error::{Result, fail};
use super::output::{CHANGE_FORMATS, Output};
use super::print::{TabWriter, go_quote, yaml};

pub(super) fn view(run: &mut Run<'_, '_>) -> Result<Next> {
    let output = Output::parse(run, CHANGE_FORMATS)?;
    let minify = run.flags.on("minify");
    if minify && run.ctx.config.current.is_empty() {
        return fail("current-context must exist in order to minify");
    }
    let value = run.ctx.config.view(minify);
    let text = match output {
        Some(output) => output.print(&value)?,
        None => yaml(&value),
    };
    run.out.push_str(&text);
    Ok(Next::Done)
}

pub(super) fn current_context(run: &mut Run<'_, '_>) -> Result<Next> {
    let current = run.ctx.config.current.clone();
    if current.is_empty() {
        return fail("current-context is not set");
    }
    run.say(&current);
    Ok(Next::Done)
}

pub(super) fn get_contexts(run: &mut Run<'_, '_>) -> Result<Next> {
    let wanted = run.args().to_vec();
    let config = &*run.ctx.config;
    let missing: Vec<&String> = wanted.iter().filter(|name| !config.contexts.contains_key(*name)).collect();
    let shown = |name: &String| wanted.is_empty() || wanted.contains(name);
    let mut text = String::new();
    if run.flags.text("output") == Some("name") {
        for name in config.contexts.keys().filter(|name| shown(name)) {
            text.push_str(&format!("{name}\n"));
        }
    } else {
        let mut table = TabWriter::table();
        if !run.flags.on("no-headers") {
            table.write("CURRENT\tNAME\tCLUSTER\tAUTHINFO\tNAMESPACE\n");
        }
        for (name, context) in config.contexts.iter().filter(|(name, _)| shown(name)) {
            let mark = if *name == config.current { "*" } else { "" };
            let NamedContext { cluster, user, namespace } = context;
            table.write(&format!("{mark}\t{name}\t{cluster}\t{user}\t{namespace}\n"));
        }
        text = table.flush();
    }
    run.out.push_str(&text);
    match missing.first() {
        Some(name) => fail(format!("context {name} not found")),
        None => Ok(Next::Done),
    }
}

pub(super) fn get_clusters(run: &mut Run<'_, '_>) -> Result<Next> {
    run.say("NAME");
    for name in run.ctx.config.clusters.keys().cloned().collect::<Vec<_>>() {
        run.say(&name);
    }
    Ok(Next::Done)
}

pub(super) fn get_users(run: &mut Run<'_, '_>) -> Result<Next> {
    run.say("NAME");
    for name in run.ctx.config.users.clone() {
        run.say(&name);
    }
    Ok(Next::Done)
}

pub(super) fn set_context(run: &mut Run<'_, '_>) -> Result<Next> {
    let name = if run.flags.on("current") {
        if !run.args().is_empty() {
            return fail("cannot specify both a context name and --current");
        }
        if run.ctx.config.current.is_empty() {
            return fail("no current context is set");
        }
        run.ctx.config.current.clone()
    } else {
        match run.args() {
            [name] if !name.is_empty() => name.clone(),
            [] => return fail("you must specify a non-empty context name or --current"),
            args => return run.usage(format!("Unexpected args: [{}]", args.join(" "))),
        }
    };
    let (cluster, user, namespace) =
        (run.flags.text("cluster"), run.flags.text("user"), run.flags.text("namespace"));
    let known = run.ctx.config.contexts.contains_key(&name);
    let context = run.ctx.config.contexts.entry(name.clone()).or_default();
    for (field, given) in
        [(&mut context.cluster, cluster), (&mut context.user, user), (&mut context.namespace, namespace)]
    {
        if let Some(given) = given {
            given.clone_into(field);
        }
    }
    run.say(&format!("Context {} {}.", go_quote(&name), if known { "modified" } else { "created" }));
    Ok(Next::Done)
}

pub(super) fn use_context(run: &mut Run<'_, '_>) -> Result<Next> {
    let [name] = run.args() else {
        return run.usage(format!("Unexpected args: [{}]", run.args().join(" ")));
    };
    let name = name.clone();
    if !run.ctx.config.contexts.contains_key(&name) {
        return fail(format!("no context exists with the name: {}", go_quote(&name)));
    }
    run.ctx.config.current.clone_from(&name);
    run.say(&format!("Switched to context {}.", go_quote(&name)));
    Ok(Next::Done)
}

pub(super) fn rename_context(run: &mut Run<'_, '_>) -> Result<Next> {
    let [from, to] = run.args() else {
        return run.usage(format!("Unexpected args: [{}]", run.args().join(" ")));
    };
    let (from, to) = (from.clone(), to.clone());
    let config = &mut *run.ctx.config;
    if config.contexts.contains_key(&to) {
        return fail(format!(
            "cannot rename the context {0}, the context {1} already exists in ~/.kube/config",
            go_quote(&from),
            go_quote(&to)
        ));
    }
    let Some(context) = config.contexts.remove(&from) else {
        return fail(format!("cannot rename the context {}, it's not in ~/.kube/config", go_quote(&from)));
    };
    config.contexts.insert(to.clone(), context);
    if config.current == from {
        config.current.clone_from(&to);
    }
    run.say(&format!("Context {} renamed to {}.", go_quote(&from), go_quote(&to)));
    Ok(Next::Done)
}

pub(super) fn delete_context(run: &mut Run<'_, '_>) -> Result<Next> {
    let [name] = run.args() else {
        return run.usage(format!("Unexpected args: [{}]", run.args().join(" ")));
    };
    let name = name.clone();
    if run.ctx.config.contexts.remove(&name).is_none() {
        return fail(format!("cannot delete context {name}, not in ~/.kube/config"));
    }
    if run.ctx.config.current == name {
        run.warn("warning: this removed your active context, use \"kubectl config use-context\" to select a different one");
    }
    run.say(&format!("deleted context {name} from ~/.kube/config"));
    Ok(Next::Done)
}

pub(super) fn unset(run: &mut Run<'_, '_>) -> Result<Next> {
    let [property] = run.args() else {
        return run.usage(format!("Unexpected args: [{}]", run.args().join(" ")));
    };
    let property = property.clone();
    if !assign(run, &property, "") {
        return fail(format!("not modelled: kubectl config unset {property}"));
    }
    run.say(&format!("Property {} unset.", go_quote(&property)));
    Ok(Next::Done)
}

pub(super) fn set(run: &mut Run<'_, '_>) -> Result<Next> {
    let [property, value] = run.args() else {
        return run.usage(format!("Unexpected args: [{}]", run.args().join(" ")));
    };
    let (property, value) = (property.clone(), value.clone());
    if !assign(run, &property, &value) {
        return fail(format!("not modelled: kubectl config set {property}"));
    }
    run.say(&format!("Property {} set.", go_quote(&property)));
    Ok(Next::Done)
}

/// Sets `current-context` or a field of a context.
fn assign(run: &mut Run<'_, '_>, property: &str, value: &str) -> bool {
    let config = &mut *run.ctx.config;
    if property == "current-context" {
        value.clone_into(&mut config.current);
        return true;
    }
    let Some((name, field)) = property.strip_prefix("contexts.").and_then(|rest| rest.rsplit_once('.'))
    else {
        return false;
    };
    let context = config.contexts.entry(name.to_owned()).or_default();
    let slot = match field {
        "namespace" => &mut context.namespace,
        "cluster" => &mut context.cluster,
        "user" => &mut context.user,
        _ => return false,
    };
    value.clone_into(slot);
    true
}

pub(super) fn set_cluster(run: &mut Run<'_, '_>) -> Result<Next> {
    let [name] = run.args() else {
        return run.usage(format!("Unexpected args: [{}]", run.args().join(" ")));
    };
    let name = name.clone();
    let server = run.flags.text_or_empty("server").to_owned();
    run.ctx.config.clusters.insert(name.clone(), server);
    run.say(&format!("Cluster {} set.", go_quote(&name)));
    Ok(Next::Done)
}

pub(super) fn set_credentials(run: &mut Run<'_, '_>) -> Result<Next> {
    let [name] = run.args() else {
        return run.usage(format!("Unexpected args: [{}]", run.args().join(" ")));
    };
    let name = name.clone();
    if !run.ctx.config.users.contains(&name) {
        run.ctx.config.users.push(name.clone());
    }
    run.say(&format!("User {} set.", go_quote(&name)));
    Ok(Next::Done)
}
