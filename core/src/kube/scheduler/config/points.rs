//! Which plugins take part at which extension point, and in which order.

use super::super::framework::{Plugin, PluginId, Point, Points};
use super::{ConfigError, PluginReference, PluginSetConfiguration, PluginsConfiguration};

/// Puts a profile's own plugins together with the default ones (`mergePluginSet`).
///
/// A default plugin that is enabled again keeps its place and loses its weight.
pub(super) fn merge<'a>(
    defaults: impl Iterator<Item = (&'a str, i64)>,
    set: &PluginSetConfiguration,
) -> Vec<PluginReference> {
    let is_off = |name: &str| set.disabled.iter().any(|off| off.name == name || off.name == "*");
    let mut replaced = vec![false; set.enabled.len()];
    let mut merged: Vec<PluginReference> = Vec::new();
    for (name, weight) in defaults.filter(|(name, _)| !is_off(name)) {
        // Of several entries of one name the last counts; the others are added again, which is refused later.
        match set.enabled.iter().rposition(|own| own.name == name) {
            Some(index) => {
                replaced[index] = true;
                merged.push(set.enabled[index].clone());
            }
            None => merged.push(PluginReference { name: name.to_owned(), weight }),
        }
    }
    let others = set.enabled.iter().zip(replaced).filter(|(_, replaced)| !replaced);
    merged.extend(others.map(|(own, _)| own.clone()));
    merged
}

impl PluginsConfiguration {
    /// What is said of one extension point.
    pub(super) const fn at(&self, point: Point) -> &PluginSetConfiguration {
        match point {
            Point::PreEnqueue => &self.pre_enqueue,
            Point::QueueSort => &self.queue_sort,
            Point::PreFilter => &self.pre_filter,
            Point::Filter => &self.filter,
            Point::PostFilter => &self.post_filter,
            Point::PreScore => &self.pre_score,
            Point::Score => &self.score,
            Point::Reserve => &self.reserve,
            Point::Permit => &self.permit,
            Point::PreBind => &self.pre_bind,
            Point::Bind => &self.bind,
            Point::PostBind => &self.post_bind,
        }
    }

    /// The plugins of every extension point (`expandMultiPointPlugins`): first those that the point names and that
    /// are enabled everywhere, then the others that are enabled everywhere, then the others that the point names.
    pub(super) fn expand(
        &self,
        index: usize,
        multi_point: &[PluginReference],
        plugins: &mut [Box<dyn Plugin>],
    ) -> Result<Points, ConfigError> {
        let mut points = Points::default();
        for point in Point::ALL {
            let set = self.at(point);
            let mut implementing: Vec<(String, PluginId)> = Vec::new();
            for (place, plugin) in plugins.iter_mut().enumerate() {
                if point.is_implemented_by(&mut **plugin) {
                    implementing.push((plugin.name().to_owned(), PluginId::new(place)));
                }
            }
            let find = |name: &str| implementing.iter().find(|(own, _)| own == name).map(|(_, id)| *id);
            let field = format!("profiles[{index}].plugins.{}.enabled", point.field());
            let mut named: Vec<PluginId> = Vec::new();
            for (place, plugin) in set.enabled.iter().enumerate() {
                let (name, kind) = (&plugin.name, point.interface());
                let problem = match find(name) {
                    None => format!("plugin {name:?} does not extend {kind} plugin"),
                    Some(id) if named.contains(&id) => {
                        format!("plugin {name:?} already registered as {kind:?}")
                    }
                    Some(id) => {
                        named.push(id);
                        continue;
                    }
                };
                return Err(ConfigError::Plugin { field: format!("{field}[{place}]"), message: problem });
            }
            let is_off = |name: &str| set.disabled.iter().any(|off| off.name == name || off.name == "*");
            let everywhere: Vec<PluginId> = if is_off("*") {
                Vec::new()
            } else {
                multi_point
                    .iter()
                    .filter(|own| !is_off(&own.name))
                    .filter_map(|own| find(&own.name))
                    .collect()
            };
            let list = points.at_mut(point);
            list.extend(named.iter().filter(|id| everywhere.contains(id)));
            list.extend(everywhere.iter().filter(|id| !named.contains(id)));
            list.extend(named.iter().filter(|id| !everywhere.contains(id)));
        }
        Ok(points)
    }
}
