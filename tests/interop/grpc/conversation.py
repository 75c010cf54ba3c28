"""Calls every procedure by grpcio, with the files that it was given, and by reflection alone."""

import os
import queue

import grpc
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)

from edgeusers.v1 import users_pb2 as v1
from edgeusers.v1 import users_pb2_grpc

address = os.environ["EDGE_USERS_URL"].removeprefix("http://")
token = [("authorization", f"Bearer {os.environ['EDGE_USERS_TOKEN']}")]
channel = grpc.insecure_channel(address)
users = users_pb2_grpc.UserServiceStub(channel)


def fails(call, request, code, **options):
    try:
        call(request, **options)
    except grpc.RpcError as error:
        assert error.code() == code, error
        return error
    raise AssertionError(f"{call} does not fail")


# One user, from the beginning to the end.
profile = v1.User(name="Ada", email="ada.grpcio@example.com")
profile.attributes.update({"team": "blue", "scores": [1, 2.5, None, True, {"x": "y"}]})
request = v1.CreateUserRequest(user=profile, request_id="grpcio")
user = users.CreateUser(request, metadata=token).user
assert user.attributes == profile.attributes and user.create_time == user.update_time
assert users.CreateUser(request, metadata=token).user == user
assert users.GetUser(v1.GetUserRequest(id=user.id), metadata=token).user == user
page = users.ListUsers(v1.ListUsersRequest(email="ADA.grpcio@example.com"), metadata=token)
assert list(page.users) == [user] and page.total_size == 1
change = v1.UpdateUserRequest(user=v1.User(id=user.id, name="Ada Lovelace", etag=user.etag))
change.update_mask.paths.append("name")
changed = users.UpdateUser(change, metadata=token, compression=grpc.Compression.Gzip).user
assert changed.name == "Ada Lovelace" and changed.email == user.email
fails(users.UpdateUser, change, grpc.StatusCode.ABORTED, metadata=token)
batch = users.BatchGetUsers(v1.BatchGetUsersRequest(ids=[user.id, 99999]), metadata=token)
assert list(batch.users) == [changed]

# What is refused.
again = v1.CreateUserRequest(user=v1.User(name="Eve", email="ada.grpcio@example.com"))
fails(users.CreateUser, again, grpc.StatusCode.ALREADY_EXISTS, metadata=token)
wrong = v1.CreateUserRequest(user=v1.User(name="", email="x"))
error = fails(users.CreateUser, wrong, grpc.StatusCode.INVALID_ARGUMENT, metadata=token)
assert "grpc-status-details-bin" in dict(error.trailing_metadata())
fails(users.GetUser, v1.GetUserRequest(id=1), grpc.StatusCode.UNAUTHENTICATED)

# Both streams. Each user is sent when the result of the one before is there.
waiting = queue.Queue()
results = users.ImportUsers(iter(waiting.get, None), metadata=token)
for name in ["Grace", "", "Edith"]:
    waiting.put(v1.ImportUsersRequest(user=v1.User(name=name)))
    result = next(results)
    if name:
        assert result.user.name == name
    else:
        assert result.error.reason == "invalid-user", result
waiting.put(None)
assert list(results) == [] and results.code() == grpc.StatusCode.OK
exported = [sent.user for sent in users.ExportUsers(v1.ExportUsersRequest(), metadata=token)]
assert changed in exported and [user.id for user in exported] == sorted(user.id for user in exported)
idle = users.ImportUsers(iter(queue.Queue().get, None), metadata=token, timeout=0.5)
try:
    next(idle)
    raise AssertionError("the call goes on")
except grpc.RpcError as error:
    assert error.code() == grpc.StatusCode.DEADLINE_EXCEEDED, error
users.DeleteUser(v1.DeleteUserRequest(id=user.id, etag=changed.etag), metadata=token)
fails(users.GetUser, v1.GetUserRequest(id=user.id), grpc.StatusCode.NOT_FOUND, metadata=token)

# Health.
health = health_pb2_grpc.HealthStub(channel)
serving = health_pb2.HealthCheckResponse.SERVING
for service in ["", "edgeusers.v1.UserService"]:
    assert health.Check(health_pb2.HealthCheckRequest(service=service)).status == serving
watch = health.Watch(health_pb2.HealthCheckRequest())
assert next(watch).status == serving
watch.cancel()

# A client that has no file.
database = ProtoReflectionDescriptorDatabase(channel)
assert "edgeusers.v1.UserService" in database.get_services()
pool = DescriptorPool(database)
method = pool.FindServiceByName("edgeusers.v1.UserService").FindMethodByName("ListUsers")
ask, answer = GetMessageClass(method.input_type), GetMessageClass(method.output_type)
call = channel.unary_unary(
    "/edgeusers.v1.UserService/ListUsers",
    request_serializer=ask.SerializeToString,
    response_deserializer=answer.FromString,
)
assert call(ask(page_size=1), metadata=token).total_size >= 2
