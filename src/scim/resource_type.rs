//! The types of resources, and the schemas that they have (RFC 7643, section 6).

use serde_json::{Map, Value};

use super::schema::{Attribute, COMMON, ENTERPRISE_USER, GROUP, Schema, USER, find, read_declared};

/// A type of resources.
#[derive(Debug)]
pub struct ResourceType {
    /// Its name, which is its id as well.
    pub name: &'static str,
    /// Where its resources are, below the root of the interface.
    pub endpoint: &'static str,
    pub description: &'static str,
    pub schema: &'static Schema,
    pub extensions: Vec<&'static Schema>,
}

/// All types and their schemas.
#[derive(Debug)]
pub struct Schemas {
    pub user: ResourceType,
    pub group: ResourceType,
}

impl Default for Schemas {
    /// Without extensions of the operator's.
    fn default() -> Self {
        Schemas::with_extensions(Vec::new())
    }
}

impl Schemas {
    /// Reads the extensions of users that the operator declares: a JSON array of schemas (RFC 7643,
    /// section 7). Fails with what is wrong, as the rest of a sentence.
    pub fn read(declared: &str) -> Result<Schemas, String> {
        read_declared(declared).map(Schemas::with_extensions)
    }

    fn with_extensions(declared: Vec<&'static Schema>) -> Schemas {
        let mut extensions = vec![&ENTERPRISE_USER];
        extensions.extend(declared);
        Schemas {
            user: ResourceType {
                name: "User",
                endpoint: "/Users",
                description: "Users of the directory.",
                schema: &USER,
                extensions,
            },
            group: ResourceType {
                name: "Group",
                endpoint: "/Groups",
                description: "Groups of users.",
                schema: &GROUP,
                extensions: Vec::new(),
            },
        }
    }

    /// Every schema, each once.
    pub fn all(&self) -> impl Iterator<Item = &'static Schema> {
        let types = [&self.user, &self.group].into_iter();
        types.flat_map(|one| {
            [one.schema]
                .into_iter()
                .chain(one.extensions.iter().copied())
        })
    }

    /// The schema with that URN, in any case.
    pub fn find(&self, id: &str) -> Option<&'static Schema> {
        self.all().find(|schema| schema.id.eq_ignore_ascii_case(id))
    }
}

impl ResourceType {
    /// The attribute of that name, in any case, if no extension has it.
    pub fn attribute(&self, name: &str) -> Option<&'static Attribute> {
        self.schema.attribute(name).or_else(|| find(COMMON, name))
    }

    /// The extension with that URN, in any case.
    pub fn extension(&self, id: &str) -> Option<&'static Schema> {
        let mut extensions = self.extensions.iter().copied();
        extensions.find(|extension| extension.id.eq_ignore_ascii_case(id))
    }

    /// The attributes that are not in an extension.
    pub fn attributes(&self) -> impl Iterator<Item = &'static Attribute> {
        COMMON.iter().chain(self.schema.attributes)
    }

    /// The URNs of the schemas whose attributes a resource has.
    pub fn schemas_of(&self, resource: &Map<String, Value>) -> Vec<&'static str> {
        let extensions = self.extensions.iter().map(|extension| extension.id);
        let used = extensions.filter(|id| resource.contains_key(*id));
        [self.schema.id].into_iter().chain(used).collect()
    }

    /// The resource at `/ResourceTypes/{name}`, without `meta`.
    pub fn to_json(&self) -> Map<String, Value> {
        let mut members = Map::new();
        let mut put = |name: &str, value: Value| members.insert(name.to_owned(), value);
        put("schemas", vec![SCHEMA].into());
        put("id", self.name.into());
        put("name", self.name.into());
        put("endpoint", self.endpoint.into());
        put("description", self.description.into());
        put("schema", self.schema.id.into());
        let extension = |schema: &&Schema| {
            let mut extension = Map::new();
            extension.insert("schema".to_owned(), schema.id.into());
            extension.insert("required".to_owned(), false.into());
            Value::Object(extension)
        };
        let extensions = self.extensions.iter().map(extension);
        put("schemaExtensions", extensions.collect::<Vec<_>>().into());
        members
    }
}

/// The schema of types.
const SCHEMA: &str = "urn:ietf:params:scim:schemas:core:2.0:ResourceType";
