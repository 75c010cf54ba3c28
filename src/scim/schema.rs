//! Descriptions of attributes (RFC 7643, section 7).
//!
//! They are constants, as a JSON text would have to be parsed in each instance. All live as
//! long as the program, so that a filter or a path can hold what it was resolved to.

mod declared;
mod enterprise;
mod group;
#[cfg(test)]
mod tests;
mod user;

use serde_json::{Map, Value};

pub use declared::read_declared;
pub use enterprise::ENTERPRISE_USER;
pub use group::GROUP;
pub use user::USER;

/// The schema of schemas.
pub const SCHEMA: &str = "urn:ietf:params:scim:schemas:core:2.0:Schema";

/// A schema: the attributes of a resource, or of an extension of it.
#[derive(Debug, PartialEq)]
pub struct Schema {
    /// Its URN.
    pub id: &'static str,
    pub name: &'static str,
    pub description: &'static str,
    pub attributes: &'static [Attribute],
}

/// An attribute, and what is true of its values (RFC 7643, section 2.2).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Attribute {
    pub name: &'static str,
    pub description: &'static str,
    pub kind: Type,
    pub multi_valued: bool,
    pub required: bool,
    /// Whether texts that differ in case alone are different.
    pub case_exact: bool,
    pub mutability: Mutability,
    pub returned: Returned,
    pub uniqueness: Uniqueness,
    /// The values that are usual. Others are taken as well.
    pub canonical_values: &'static [&'static str],
    pub reference_types: &'static [&'static str],
    pub sub_attributes: &'static [Attribute],
}

/// The type of the values (RFC 7643, section 2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    String,
    Boolean,
    Decimal,
    Integer,
    DateTime,
    Binary,
    Reference,
    Complex,
}

/// Who may set the attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutability {
    ReadOnly,
    ReadWrite,
    Immutable,
    WriteOnly,
}

/// When the attribute is in an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Returned {
    Always,
    Never,
    Default,
    Request,
}

/// Where no two resources have the same value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Uniqueness {
    None,
    Server,
    Global,
}

/// A word for each variant, as schemas have it.
macro_rules! words {
    ($name:ident { $($variant:ident = $word:literal),+ $(,)? }) => {
        impl $name {
            const ALL: &'static [$name] = &[$($name::$variant),+];

            /// As a schema has it.
            pub fn as_str(self) -> &'static str {
                match self {
                    $($name::$variant => $word),+
                }
            }

            /// What the word of a schema means, in any case.
            fn from_word(word: &str) -> Option<$name> {
                let mut all = $name::ALL.iter().copied();
                all.find(|one| one.as_str().eq_ignore_ascii_case(word))
            }
        }
    };
}

words!(Type {
    String = "string",
    Boolean = "boolean",
    Decimal = "decimal",
    Integer = "integer",
    DateTime = "dateTime",
    Binary = "binary",
    Reference = "reference",
    Complex = "complex",
});

words!(Mutability {
    ReadOnly = "readOnly",
    ReadWrite = "readWrite",
    Immutable = "immutable",
    WriteOnly = "writeOnly",
});

words!(Returned {
    Always = "always",
    Never = "never",
    Default = "default",
    Request = "request",
});

words!(Uniqueness {
    None = "none",
    Server = "server",
    Global = "global",
});

impl Attribute {
    /// An attribute as most are.
    const fn new(name: &'static str, kind: Type, description: &'static str) -> Attribute {
        Attribute {
            name,
            description,
            kind,
            multi_valued: false,
            required: false,
            // References and binary values are compared as they are (RFC 7643, section 2.3).
            case_exact: matches!(kind, Type::Reference | Type::Binary),
            mutability: Mutability::ReadWrite,
            returned: Returned::Default,
            uniqueness: Uniqueness::None,
            canonical_values: &[],
            reference_types: &[],
            sub_attributes: &[],
        }
    }

    const fn text(name: &'static str, description: &'static str) -> Attribute {
        Attribute::new(name, Type::String, description)
    }

    const fn complex(
        name: &'static str,
        description: &'static str,
        sub_attributes: &'static [Attribute],
    ) -> Attribute {
        Attribute {
            sub_attributes,
            ..Attribute::new(name, Type::Complex, description)
        }
    }

    const fn reference(
        name: &'static str,
        description: &'static str,
        reference_types: &'static [&'static str],
    ) -> Attribute {
        Attribute {
            reference_types,
            ..Attribute::new(name, Type::Reference, description)
        }
    }

    const fn many(mut self) -> Attribute {
        self.multi_valued = true;
        self
    }

    const fn required(mut self) -> Attribute {
        self.required = true;
        self
    }

    const fn exact(mut self) -> Attribute {
        self.case_exact = true;
        self
    }

    const fn unique(mut self) -> Attribute {
        self.uniqueness = Uniqueness::Server;
        self
    }

    const fn set(mut self, mutability: Mutability) -> Attribute {
        self.mutability = mutability;
        self
    }

    const fn returned(mut self, returned: Returned) -> Attribute {
        self.returned = returned;
        self
    }

    const fn usually(mut self, values: &'static [&'static str]) -> Attribute {
        self.canonical_values = values;
        self
    }

    /// The sub-attribute of that name, in any case.
    pub fn sub_attribute(&self, name: &str) -> Option<&'static Attribute> {
        find(self.sub_attributes, name)
    }

    /// Whether nobody is ever told the value, not by an answer and not by a filter.
    pub fn is_secret(&self) -> bool {
        self.returned == Returned::Never || self.mutability == Mutability::WriteOnly
    }

    fn to_json(self) -> Value {
        let mut members = Map::new();
        let mut put = |name: &str, value: Value| members.insert(name.to_owned(), value);
        put("name", self.name.into());
        put("type", self.kind.as_str().into());
        put("multiValued", self.multi_valued.into());
        put("description", self.description.into());
        put("required", self.required.into());
        put("caseExact", self.case_exact.into());
        put("mutability", self.mutability.as_str().into());
        put("returned", self.returned.as_str().into());
        put("uniqueness", self.uniqueness.as_str().into());
        if !self.canonical_values.is_empty() {
            put("canonicalValues", self.canonical_values.into());
        }
        if !self.reference_types.is_empty() {
            put("referenceTypes", self.reference_types.into());
        }
        if self.kind == Type::Complex {
            put("subAttributes", all_to_json(self.sub_attributes));
        }
        Value::Object(members)
    }
}

fn all_to_json(attributes: &[Attribute]) -> Value {
    let attributes = attributes.iter().map(|attribute| attribute.to_json());
    attributes.collect::<Vec<_>>().into()
}

/// The attribute of that name, in any case (RFC 7643, section 2.1).
pub(super) fn find(attributes: &'static [Attribute], name: &str) -> Option<&'static Attribute> {
    let mut attributes = attributes.iter();
    attributes.find(|attribute| attribute.name.eq_ignore_ascii_case(name))
}

impl Schema {
    /// The resource at `/Schemas/{id}`, without `meta`.
    pub fn to_json(&self) -> Map<String, Value> {
        let mut members = Map::new();
        let mut put = |name: &str, value: Value| members.insert(name.to_owned(), value);
        put("schemas", vec![SCHEMA].into());
        put("id", self.id.into());
        put("name", self.name.into());
        put("description", self.description.into());
        put("attributes", all_to_json(self.attributes));
        members
    }

    /// The attribute of that name, in any case.
    pub fn attribute(&self, name: &str) -> Option<&'static Attribute> {
        find(self.attributes, name)
    }
}

/// The attributes that every resource has (RFC 7643, section 3.1). No schema lists them.
pub const COMMON: &[Attribute] = &[
    Attribute::reference("schemas", "The schemas of the resource.", &["uri"])
        .many()
        .required()
        .set(Mutability::ReadOnly)
        .returned(Returned::Always),
    Attribute::text("id", "The id that the service gave the resource.")
        .exact()
        .unique()
        .set(Mutability::ReadOnly)
        .returned(Returned::Always),
    Attribute::text("externalId", "The id that the client gives the resource.").exact(),
    Attribute::complex("meta", "About the resource itself.", META).set(Mutability::ReadOnly),
];

const META: &[Attribute] = &[
    Attribute::text("resourceType", "The type of the resource.")
        .exact()
        .set(Mutability::ReadOnly),
    Attribute::new("created", Type::DateTime, "When it was created.").set(Mutability::ReadOnly),
    Attribute::new("lastModified", Type::DateTime, "When it was changed last.")
        .set(Mutability::ReadOnly),
    Attribute::reference("location", "Where it is.", &["uri"]).set(Mutability::ReadOnly),
    Attribute::text("version", "Its entity tag.")
        .exact()
        .set(Mutability::ReadOnly),
];
