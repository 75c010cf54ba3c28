//! The variable `indexed_attributes`.

use crate::user::AttributePath;

/// Members of attributes by which users can be found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Paths(pub Vec<AttributePath>);

impl Paths {
    /// The most of them: each takes the place and the time of an index.
    pub const MAX: usize = 16;

    /// Reads the elements of the variable; fails with the rule that they break.
    pub fn read(elements: &[&str]) -> Result<Paths, &'static str> {
        let rule =
            "must list at most 16 members of attributes, such as team or address.city, each once";
        let mut paths = Vec::new();
        for element in elements {
            let path = AttributePath::try_from(*element).map_err(|_| rule)?;
            if paths.len() == Paths::MAX || paths.contains(&path) {
                return Err(rule);
            }
            paths.push(path);
        }
        Ok(Paths(paths))
    }
}
