//! The schema of users (RFC 7643, section 4.1).

use super::{Attribute, Mutability, Returned, Schema, Type};

/// The schema of users.
pub static USER: Schema = Schema {
    id: "urn:ietf:params:scim:schemas:core:2.0:User",
    name: "User",
    description: "A user of the directory.",
    attributes: &[
        text("userName", "The name by which the user signs in.")
            .required()
            .unique(),
        Attribute::complex("name", "The parts of the user's name.", NAME),
        text("displayName", "The name that people are shown."),
        text("nickName", "What people call the user."),
        Attribute::reference("profileUrl", "A page about the user.", &["external"]),
        text("title", "The user's title, such as Vice President."),
        text("userType", "What the user is to the organization."),
        text("preferredLanguage", "Languages, as in Accept-Language."),
        text(
            "locale",
            "Where the user is, for the form of dates and the like.",
        ),
        text("timezone", "The time zone, as in Europe/Oslo."),
        Attribute::new("active", Type::Boolean, "Whether the user is switched on."),
        text(
            "password",
            "Taken and dropped: the service has no passwords.",
        )
        .set(Mutability::WriteOnly)
        .returned(Returned::Never),
        many("emails", "Email addresses.", EMAIL),
        many("phoneNumbers", "Phone numbers.", PHONE),
        many("ims", "Addresses for instant messages.", IM),
        many("photos", "Pictures of the user.", PHOTO),
        many("addresses", "Postal addresses.", ADDRESS),
        many("groups", "The groups that the user is in.", MEMBERSHIP)
            .set(Mutability::ReadOnly)
            // They cost a read each, and most clients have no use for them.
            .returned(Returned::Request),
        many("entitlements", "What the user may have.", LABELED),
        many("roles", "What the user does.", LABELED),
        many("x509Certificates", "Certificates of the user.", CERTIFICATE),
    ],
};

const fn text(name: &'static str, description: &'static str) -> Attribute {
    Attribute::text(name, description)
}

const fn many(
    name: &'static str,
    description: &'static str,
    sub_attributes: &'static [Attribute],
) -> Attribute {
    Attribute::complex(name, description, sub_attributes).many()
}

const VALUE: Attribute = text("value", "The value itself.");
const DISPLAY: Attribute = text("display", "The value as people are shown it.");
const TYPE: Attribute = text("type", "What the value is for.");
const PRIMARY: Attribute =
    Attribute::new("primary", Type::Boolean, "Whether it is the preferred one.");

const NAME: &[Attribute] = &[
    text("formatted", "The full name, as it is shown."),
    text("familyName", "The family name."),
    text("givenName", "The given name."),
    text("middleName", "The middle names."),
    text(
        "honorificPrefix",
        "What stands before the name, such as Dr.",
    ),
    text(
        "honorificSuffix",
        "What stands after the name, such as III.",
    ),
];

const EMAIL: &[Attribute] = &[
    VALUE,
    DISPLAY,
    TYPE.usually(&["work", "home", "other"]),
    PRIMARY,
];

const PHONE: &[Attribute] = &[
    VALUE,
    DISPLAY,
    TYPE.usually(&["work", "home", "mobile", "fax", "pager", "other"]),
    PRIMARY,
];

const IM: &[Attribute] = &[
    VALUE,
    DISPLAY,
    TYPE.usually(&["aim", "gtalk", "icq", "xmpp", "msn", "skype", "qq", "yahoo"]),
    PRIMARY,
];

const PHOTO: &[Attribute] = &[
    Attribute::reference("value", "Where the picture is.", &["external"]),
    DISPLAY,
    TYPE.usually(&["photo", "thumbnail"]),
    PRIMARY,
];

const ADDRESS: &[Attribute] = &[
    text(
        "formatted",
        "The full address, as it is written on a letter.",
    ),
    text("streetAddress", "Street, house and the like."),
    text("locality", "The city."),
    text("region", "The state or region."),
    text("postalCode", "The postal code."),
    text("country", "The country's code of two letters."),
    TYPE.usually(&["work", "home", "other"]),
    PRIMARY,
];

const MEMBERSHIP: &[Attribute] = &[
    text("value", "The id of the group.")
        .exact()
        .set(Mutability::ReadOnly),
    Attribute::reference("$ref", "Where the group is.", &["Group"]).set(Mutability::ReadOnly),
    DISPLAY.set(Mutability::ReadOnly),
    TYPE.usually(&["direct"]).set(Mutability::ReadOnly),
];

const LABELED: &[Attribute] = &[VALUE, DISPLAY, TYPE, PRIMARY];

const CERTIFICATE: &[Attribute] = &[
    Attribute::new("value", Type::Binary, "The certificate, DER in base64."),
    DISPLAY,
    TYPE,
    PRIMARY,
];
