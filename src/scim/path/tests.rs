use super::super::Schemas;
use super::*;

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

fn read(text: &str) -> Result<Path, Error> {
    Path::read(text, &Schemas::default().user)
}

#[test]
fn every_form_of_a_path_is_read_and_written_with_the_names_of_the_schemas() {
    let core = "urn:ietf:params:scim:schemas:core:2.0:User";
    for (text, written) in [
        ("userName", "userName"),
        ("USERNAME", "userName"),
        ("externalId", "externalId"),
        ("meta.lastmodified", "meta.lastModified"),
        ("name.FamilyName", "name.familyName"),
        ("groups.$ref", "groups.$ref"),
        (&format!("{core}:name.givenName"), "name.givenName"),
        (&core.to_uppercase(), ""),
        ("", ""),
        (" emails ", "emails"),
        (ENTERPRISE, ENTERPRISE),
        (
            &format!("{ENTERPRISE}:manager.value"),
            &format!("{ENTERPRISE}:manager.value"),
        ),
        (
            &format!("{}:Department", ENTERPRISE.to_uppercase()),
            &format!("{ENTERPRISE}:department"),
        ),
        ("emails[type eq \"work\"]", "emails[type eq \"work\"]"),
        // Entra ID.
        (
            "emails[type eq \"work\"].value",
            "emails[type eq \"work\"].value",
        ),
        (
            "Emails[ Type EQ \"a].b:\\\"\" ].Primary",
            "emails[type eq \"a].b:\\\"\"].primary",
        ),
        (
            "addresses[type eq \"work\" and (region pr or not (primary eq true))].country",
            "addresses[type eq \"work\" and (region pr or not (primary eq true))].country",
        ),
    ] {
        let path = read(text).unwrap();
        assert_eq!(path.to_string(), written, "{text}");
        assert_eq!(read(written).unwrap(), path);
    }
}

#[test]
fn a_path_that_leads_nowhere_is_refused_with_the_reason() {
    let long = format!("emails[value eq \"{}\"]", "x".repeat(Path::MAX_BYTES));
    for (text, scim_type, part) in [
        (
            "unknown",
            ScimType::InvalidPath,
            "\"unknown\" is no attribute",
        ),
        ("userName.x", ScimType::InvalidPath, "no attribute"),
        ("name.unknown", ScimType::InvalidPath, "no attribute"),
        ("name.", ScimType::InvalidPath, "no attribute"),
        (".name", ScimType::InvalidPath, "no attribute"),
        ("department", ScimType::InvalidPath, "no attribute"),
        (
            "urn:example:x:department",
            ScimType::InvalidPath,
            "no attribute",
        ),
        (":userName", ScimType::InvalidPath, "no attribute"),
        (
            "unknown[type eq \"x\"]",
            ScimType::InvalidPath,
            "no attribute",
        ),
        (
            "name[familyName eq \"x\"]",
            ScimType::InvalidPath,
            "no values to choose",
        ),
        (
            "emails.value[type eq \"x\"]",
            ScimType::InvalidPath,
            "no values to choose",
        ),
        (
            "userName[value eq \"x\"]",
            ScimType::InvalidPath,
            "no values to choose",
        ),
        (
            "emails[type eq \"x\"]value",
            ScimType::InvalidPath,
            "a dot and a name",
        ),
        (
            "emails[type eq \"x\"].",
            ScimType::InvalidPath,
            "no sub-attribute",
        ),
        (
            "emails[type eq \"x\"].unknown",
            ScimType::InvalidPath,
            "no sub-attribute",
        ),
        (
            "emails[type eq \"x\"",
            ScimType::InvalidFilter,
            "\"]\" is missing",
        ),
        (
            "emails[]",
            ScimType::InvalidFilter,
            "name of an attribute is missing",
        ),
        (
            "emails[country eq \"x\"]",
            ScimType::InvalidFilter,
            "no attribute",
        ),
        (
            "emails[type eq]",
            ScimType::InvalidFilter,
            "a value must be",
        ),
        (&long, ScimType::InvalidPath, "4096 bytes"),
    ] {
        let error = read(text).unwrap_err();
        assert_eq!(error.scim_type, Some(scim_type), "{text} {}", error.detail);
        assert!(error.detail.contains(part), "{text} {}", error.detail);
    }
}

#[test]
fn an_attribute_of_any_of_several_types_is_found() {
    let schemas = Schemas::default();
    let read = |text| AttributePath::read(text, &[&schemas.user, &schemas.group]);
    assert!(read("userName").unwrap().is("userName"));
    assert!(read("members.value").unwrap().is("members.value"));
    assert!(!read("members.value").unwrap().is("members"));
    assert!(read("nothing").is_err());
}
