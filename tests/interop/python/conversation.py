"""A conversation with the service by a client that openapi-python-client made."""

import os
import uuid
from http import HTTPStatus

from edge_users import AuthenticatedClient
from edge_users.api.users import (
    create_user,
    delete_user,
    get_user,
    list_users,
    patch_user,
    replace_user,
)
from edge_users.models import (
    Attributes,
    ListUsersSort,
    NewUser,
    Problem,
    User,
    UserMergePatch,
    UserReplacement,
)

client = AuthenticatedClient(
    base_url=os.environ["EDGE_USERS_URL"], token=os.environ["EDGE_USERS_TOKEN"]
)
email = f"{uuid.uuid4()}@example.com"

# Create.
attributes = Attributes()
attributes["team"] = "blue"
ada = create_user.sync(
    client=client, body=NewUser(name="Ada", email=email, attributes=attributes)
)
assert isinstance(ada, User), ada
assert (ada.name, ada.email) == ("Ada", email)
again = create_user.sync(client=client, body=NewUser(name="Eve", email=email))
assert isinstance(again, Problem) and again.status == 409, again

# Read.
response = get_user.sync_detailed(ada.id, client=client)
assert response.parsed == ada, response
tag = response.headers["etag"]
unchanged = get_user.sync_detailed(ada.id, client=client, if_none_match=tag)
assert unchanged.status_code == HTTPStatus.NOT_MODIFIED, unchanged
part = get_user.sync(ada.id, client=client, fields="id,name")
assert part is not None and not isinstance(part, Problem), part
assert part.to_dict() == {"id": ada.id, "name": "Ada"}, part

# List.
for found in (
    list_users.sync(client=client, email=email),
    list_users.sync(client=client, id=str(ada.id)),
    list_users.sync(client=client, sort=ListUsersSort.VALUE_1, limit=1),
):
    assert found == [ada], found

tagged = list_users.sync(client=client, id=str(ada.id), fields="id,etag")
assert isinstance(tagged, list), tagged
assert [user.to_dict() for user in tagged] == [{"id": ada.id, "etag": tag}], tagged

# Patch.
green = UserMergePatch(email=None)
green["attributes"] = {"team": "green"}
patched = patch_user.sync(ada.id, client=client, body=green, if_match=tag)
assert isinstance(patched, User), patched
assert isinstance(patched.attributes, Attributes)
assert patched.attributes["team"] == "green" and not patched.email, patched
stale = patch_user.sync(ada.id, client=client, body=green, if_match=tag)
assert isinstance(stale, Problem) and stale.status == 412, stale

# Replace.
replaced = replace_user.sync(ada.id, client=client, body=UserReplacement(name="Ada L."))
assert isinstance(replaced, User) and not replaced.attributes, replaced

# Delete.
deleted = delete_user.sync_detailed(ada.id, client=client)
assert deleted.status_code == HTTPStatus.NO_CONTENT, deleted
gone = get_user.sync(ada.id, client=client)
assert isinstance(gone, Problem) and gone.status == 404, gone

print("created, read, listed, patched, replaced, deleted")
