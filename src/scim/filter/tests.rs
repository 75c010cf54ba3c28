mod properties;

use serde_json::json;

use super::super::Schemas;
use super::*;

fn read(text: &str) -> Result<Filter, Error> {
    Filter::read(text, &[&Schemas::default().user])
}

fn matches(text: &str, resource: &Value) -> bool {
    let filter = read(text).unwrap_or_else(|error| panic!("{text} {}", error.detail));
    filter.matches(resource.as_object().unwrap())
}

fn ada() -> Value {
    json!({
        "id": "7",
        "externalId": "Ab",
        "userName": "Ada@example.com",
        "name": { "familyName": "O'Malley", "givenName": "Straße", "middleName": "ÅGOT" },
        "title": "",
        "active": true,
        "emails": [
            { "value": "ada@example.com", "type": "work", "primary": true },
            { "value": "a.l@home.example", "type": "home" },
        ],
        "meta": { "resourceType": "User", "lastModified": "2011-05-13T04:42:34.000Z" },
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {
            "employeeNumber": "701984",
            "manager": { "value": "26118915" },
        },
    })
}

/// The examples of RFC 7644, section 3.4.2.2, and what clients ask.
#[test]
fn filters_match_what_the_standard_says() {
    let enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
    for (text, expected) in [
        ("userName eq \"ada@EXAMPLE.com\"", true),
        // Okta.
        ("userName Eq \"ada@example.com\"", true),
        ("name.familyName co \"O'Malley\"", true),
        ("name.familyName co \"o'm\"", true),
        ("name.givenName eq \"STRASSE\"", true),
        ("name.middleName eq \"A\u{030a}got\"", true),
        ("name.middleName sw \"å\"", true),
        ("name.middleName sw \"A\"", false),
        ("userName sw \"A\"", true),
        ("userName ew \".COM\"", true),
        ("userName sw \"d\"", false),
        (
            "urn:ietf:params:scim:schemas:core:2.0:User:userName sw \"A\"",
            true,
        ),
        ("title pr", false),
        ("userName pr", true),
        ("name pr", true),
        ("nickName pr", false),
        ("meta.lastModified gt \"2011-05-13T04:42:34Z\"", false),
        ("meta.lastModified ge \"2011-05-13T04:42:34Z\"", true),
        ("meta.lastModified eq \"2011-05-13T04:42:34\"", true),
        ("meta.lastModified eq \"2011-05-13T06:42:34+02:00\"", true),
        ("meta.lastModified lt \"2011-05-13T04:42:34.001Z\"", true),
        ("meta.lastModified le \"2011-05-13T04:42:33.999Z\"", false),
        ("title pr and userName pr", false),
        ("title pr or userName pr", true),
        ("userName pr or title pr and title pr", true),
        ("(userName pr or title pr) and title pr", false),
        ("userName pr and not (emails co \"example.org\")", true),
        ("emails co \"home.example\"", true),
        ("emails.type eq \"WORK\"", true),
        ("emails[type eq \"work\" and primary eq true]", true),
        ("emails[type eq \"home\" and primary eq true]", false),
        ("emails.type eq \"home\" and emails.primary eq true", true),
        (
            "emails[type eq \"work\" and value co \"@example.com\"] or ims[type eq \"xmpp\"]",
            true,
        ),
        ("emails[not (type eq \"work\")]", true),
        ("emails[not (type pr)]", false),
        ("ims[not (type pr)]", false),
        ("externalId eq \"Ab\"", true),
        ("externalId eq \"ab\"", false),
        ("externalId ne \"ab\"", true),
        ("id eq \"7\"", true),
        ("active eq true", true),
        // Entra ID.
        ("active eq \"True\"", true),
        ("active eq \"false\"", false),
        ("active ne false", true),
        (&format!("{enterprise}:employeeNumber eq \"701984\""), true),
        (&format!("{enterprise}:manager eq \"26118915\""), true),
        (&format!("{enterprise}:manager.value gt \"26118914\""), true),
        (&format!("{enterprise}:department pr"), false),
        // An attribute without value is not equal to any, and equal to null.
        ("nickName ne \"Countess\"", true),
        ("nickName eq \"Countess\"", false),
        ("nickName lt \"z\"", false),
        ("nickName eq null", true),
        ("title eq null", true),
        ("userName eq null", false),
        ("userName ne null", true),
        ("emails ne \"ada@example.com\"", true),
        ("emails[type eq null]", false),
    ] {
        assert_eq!(matches(text, &ada()), expected, "{text}");
    }
}

#[test]
fn numbers_are_compared_by_value() {
    let declared = json!([{ "id": "urn:example:n", "attributes": [
        { "name": "level", "type": "integer" },
        { "name": "share", "type": "decimal", "multiValued": true },
    ] }]);
    let schemas = Schemas::read(&declared.to_string()).unwrap();
    let user = json!({ "urn:example:n": { "level": 10, "share": [0.5, 1] } });
    for (condition, expected) in [
        ("level gt 9", true),
        ("level eq 10.0", true),
        ("level eq 1e1", true),
        ("level lt -1", false),
        ("share eq 1.0", true),
        ("share lt 0.6", true),
        ("share ge 2", false),
    ] {
        let text = format!("urn:example:n:{condition}");
        let filter = Filter::read(&text, &[&schemas.user]).unwrap();
        assert_eq!(
            filter.matches(user.as_object().unwrap()),
            expected,
            "{text}"
        );
    }
}

#[test]
fn a_filter_is_written_as_it_is_understood() {
    for (text, written) in [
        ("username EQ \"a\"", "userName eq \"a\""),
        ("emails co \"a\"", "emails.value co \"a\""),
        ("emails PR", "emails pr"),
        ("((title pr))", "title pr"),
        (
            "title pr AND (title pr and title pr)",
            "title pr and title pr and title pr",
        ),
        (
            "title pr or (title pr or title pr)",
            "title pr or title pr or title pr",
        ),
        (
            "(title pr and title pr) or title pr",
            "title pr and title pr or title pr",
        ),
        (
            "(title pr or title pr) and title pr",
            "(title pr or title pr) and title pr",
        ),
        ("NOT(title pr)", "not (title pr)"),
        ("not (not (title pr))", "not (not (title pr))"),
        ("emails[TYPE eq \"a\"]", "emails[type eq \"a\"]"),
        ("emails[ type eq \"a\" ]", "emails[type eq \"a\"]"),
        // Entra ID.
        (
            "emails[type eq \"a\"].VALUE eq \"b\" and title pr",
            "emails[type eq \"a\" and value eq \"b\"] and title pr",
        ),
        (
            "emails[type eq \"a\" or primary eq true].value pr",
            "emails[(type eq \"a\" or primary eq true) and value pr]",
        ),
        (
            "title eq \"\\u0041\\\"\\\\\\n\"",
            "title eq \"A\\\"\\\\\\n\"",
        ),
        ("active eq \"TRUE\"", "active eq true"),
        ("  title  pr\t", "title pr"),
        // Dots, colons, brackets and quotes in a quoted value.
        (
            "title eq \"a.b:c[d](e) and \\\" or\"",
            "title eq \"a.b:c[d](e) and \\\" or\"",
        ),
    ] {
        let filter = read(text).unwrap_or_else(|error| panic!("{text} {}", error.detail));
        assert_eq!(filter.to_string(), written, "{text}");
        assert_eq!(read(written).unwrap(), filter);
    }
}

#[test]
fn a_filter_that_is_wrong_is_refused_with_place_and_reason() {
    let deep = format!("{}title pr{}", "(".repeat(17), ")".repeat(17));
    let dotted = format!(
        "{}emails[type pr or primary pr].value pr{}",
        "not (".repeat(15),
        ")".repeat(15)
    );
    let many = vec!["title pr"; 101].join(" or ");
    let long = format!("title eq \"{}\"", "x".repeat(Filter::MAX_BYTES));
    for (text, detail) in [
        ("", "at character 1: the name of an attribute is missing"),
        ("title", "at character 6: \"\" is no operator"),
        ("title is \"x\"", "at character 7: \"is\" is no operator"),
        ("title eq", "at character 9: a value must be"),
        ("title eq x", "at character 10: a value must be"),
        ("title eq 'x'", "at character 10: a value must be"),
        ("title eq \"x", "at character 10: a value must be"),
        ("title eq \"x\\\"", "at character 10: a value must be"),
        ("title eq \"\\ud800\"", "at character 10: a value must be"),
        ("title eq [1]", "at character 10: a value must be"),
        (
            "title eq \"ä\" xor title pr",
            "at character 14: \"and\" or \"or\" is missing",
        ),
        (
            "title pr and",
            "at character 13: the name of an attribute is missing",
        ),
        ("(title pr", "at character 10: \")\" is missing"),
        ("title pr)", "at character 9: \"and\" or \"or\" is missing"),
        ("emails[type eq \"x\"", "at character 19: \"]\" is missing"),
        (
            "emails[type eq \"x\"].userName eq \"y\"",
            "at character 21: \"userName\" is no attribute",
        ),
        (
            "emails[type eq \"x\"].value",
            "at character 26: \"\" is no operator",
        ),
        (
            "emails[type eq \"x\"]value eq \"y\"",
            "at character 20: \"and\" or \"or\" is missing",
        ),
        (
            "emails[type eq \"x\"].value[type eq \"y\"]",
            "at character 26: \"\" is no operator",
        ),
        (
            "emails[userName eq \"x\"]",
            "at character 8: \"userName\" is no attribute",
        ),
        (
            "emails.value[type eq \"x\"]",
            "at character 1: emails.value has no sub-attributes",
        ),
        (
            "title[value eq \"x\"]",
            "at character 1: title has no sub-attributes",
        ),
        // Unknown ones are ignored in a body alone.
        (
            "nosuch eq \"x\"",
            "at character 1: \"nosuch\" is no attribute",
        ),
        (
            "urn:example:x:title eq \"x\"",
            "at character 1: \"urn:example:x:title\" is no attribute",
        ),
        (
            "password eq \"x\"",
            "at character 1: password is never told",
        ),
        ("PASSWORD pr", "at character 1: password is never told"),
        ("not title pr", "at character 1: \"not\" is no attribute"),
        ("name eq \"x\"", "at character 9: name has sub-attributes"),
        (
            "title eq 1",
            "at character 10: title must be compared with a value of the type string",
        ),
        (
            "active eq \"yes\"",
            "at character 11: active must be compared",
        ),
        (
            "active gt true",
            "at character 11: active is of the type boolean",
        ),
        ("x509Certificates ge \"MII\"", "is of the type binary"),
        ("meta.created co \"2011\"", "is of the type dateTime"),
        (
            "meta.created gt \"yesterday\"",
            "a value of the type dateTime",
        ),
        ("title gt null", "null can't be compared by \"gt\""),
        (&deep, "it has more than 16 levels"),
        (&many, "it has more than 100 comparisons"),
        // It would be written with a level more.
        (&dotted, "it has more than 16 levels"),
        (&long, "at most 8192 bytes"),
    ] {
        let error = read(text).unwrap_err();
        assert_eq!(error.scim_type, Some(ScimType::InvalidFilter));
        assert!(error.detail.contains(detail), "{text} {}", error.detail);
    }
}

#[test]
fn conjuncts_are_what_every_match_meets() {
    let conjuncts = |text: &str| {
        let conjuncts = read(text).unwrap().conjuncts();
        conjuncts
            .iter()
            .map(Comparison::to_string)
            .collect::<Vec<_>>()
    };
    for (text, expected) in [
        ("userName eq \"a\"", &["userName eq \"a\""][..]),
        (
            "userName eq \"a\" and (active eq true and title pr)",
            &["userName eq \"a\"", "active eq true"],
        ),
        (
            "emails[type eq \"work\" and value eq \"a\"] and id eq \"1\"",
            &[
                "emails.type eq \"work\"",
                "emails.value eq \"a\"",
                "id eq \"1\"",
            ],
        ),
        ("emails[type ne \"work\"]", &[]),
        ("emails[type eq null]", &[]),
        ("userName eq \"a\" or userName eq \"b\"", &[]),
        ("not (userName eq \"a\")", &[]),
    ] {
        assert_eq!(conjuncts(text), expected, "{text}");
    }
}

#[test]
fn a_filter_of_several_types_knows_the_attributes_of_all() {
    let schemas = Schemas::default();
    let text = "userName eq \"a\" or members.value eq \"1\"";
    let filter = Filter::read(text, &[&schemas.user, &schemas.group]).unwrap();
    let group = json!({ "displayName": "x", "members": [{ "value": "1" }] });
    assert!(filter.matches(group.as_object().unwrap()));
    assert!(read(text).is_err());
}
