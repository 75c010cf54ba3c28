//! The requests that Microsoft's documentation shows for Entra ID ("Develop and plan provisioning for a
//! SCIM endpoint"), in the order in which it provisions.

use serde_json::json;

use crate::support::new_word;
use crate::{
    ENTERPRISE, GROUP, USER, at, delete, expect, filtered, get, ids, listed, members, patch, post,
};

#[test]
fn a_user_is_provisioned_changed_switched_off_and_deleted() {
    let name = format!("Test_User_{}", new_word());
    // The test of the connection: nobody has the name.
    let nobody = expect(
        get(&filtered("Users", &format!("userName eq \"{name}\""))),
        200,
    );
    assert_eq!(
        (&nobody["totalResults"], &nobody["Resources"]),
        (&json!(0), &json!([]))
    );
    let created = post(
        "/Users",
        json!({
            "schemas": [USER, ENTERPRISE],
            "externalId": "0a21f0f2-8d2a-4f8e-bf98-7363c4aed4ef",
            "userName": name,
            "active": true,
            "emails": [{ "primary": true, "type": "work", "value": format!("{name}@testuser.example") }],
            "meta": { "resourceType": "User" },
            "name": { "formatted": "givenName familyName", "familyName": "familyName", "givenName": "givenName" },
            "roles": [],
        }),
    );
    let user = expect(created, 201);
    assert_eq!(user["meta"]["resourceType"], "User");
    assert_eq!(expect(get(&at("Users", &user)), 200), user);
    let found = listed(get(&filtered("Users", &format!("userName eq \"{name}\""))));
    assert_eq!(found, std::slice::from_ref(&user));

    let email = format!("updated.{name}@testuser.example");
    let changed = patch(
        &at("Users", &user),
        json!([
            { "op": "Replace", "path": "emails[type eq \"work\"].value", "value": email },
            { "op": "Replace", "path": "name.familyName", "value": "updatedFamilyName" },
        ]),
    );
    let changed = expect(changed, 200);
    let expected = json!([{ "primary": true, "type": "work", "value": email }]);
    assert_eq!(
        (&changed["emails"], &changed["name"]["familyName"]),
        (&expected, &json!("updatedFamilyName"))
    );
    let other = format!("{name}-renamed");
    let rename = json!([{ "op": "Replace", "path": "userName", "value": other }]);
    assert_eq!(
        expect(patch(&at("Users", &user), rename), 200)["userName"],
        other
    );
    let disable = json!([{ "op": "Replace", "path": "active", "value": false }]);
    assert_eq!(
        expect(patch(&at("Users", &user), disable), 200)["active"],
        false
    );
    expect(delete(&at("Users", &user)), 204);
    expect(get(&at("Users", &user)), 404);
}

#[test]
fn a_group_is_provisioned_and_its_members_come_and_go() {
    let name = format!("displayName {}", new_word());
    let user = crate::new_user(json!({}));
    let created = post(
        "/Groups",
        json!({
            "schemas": [GROUP, "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"],
            "externalId": "8aa1a0c0-c4c3-4bc0-b4a5-2ef676900159",
            "displayName": name,
            "meta": { "resourceType": "Group" },
        }),
    );
    let group = expect(created, 201);
    let path = at("Groups", &group);
    let shown = expect(get(&format!("{path}?excludedAttributes=members")), 200);
    assert_eq!(shown["displayName"], name);
    let filter = filtered("Groups", &format!("displayName eq \"{name}\""));
    let found = listed(get(&format!("{filter}&excludedAttributes=members")));
    assert_eq!(ids(&found), ids(std::slice::from_ref(&group)));
    let member = json!([{ "$ref": null, "value": user["id"] }]);
    for (operation, expected) in [
        (
            json!({ "op": "Replace", "path": "displayName", "value": format!("{name} 2") }),
            0,
        ),
        (
            json!({ "op": "Add", "path": "members", "value": member }),
            1,
        ),
        (
            json!({ "op": "Remove", "path": "members", "value": member }),
            0,
        ),
    ] {
        expect(patch(&path, json!([operation])), 204);
        assert_eq!(members(&group).len(), expected, "{operation}");
    }
    expect(delete(&path), 204);
}
