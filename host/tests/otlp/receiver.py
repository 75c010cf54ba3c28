"""Receives OpenTelemetry's protocol by gRPC and by HTTP, with OpenTelemetry's own messages.

It prints a line with its two ports, and then a line of JSON for each request."""

import gzip
import json
import sys
import threading
from concurrent import futures
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import grpc
from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2 as logs
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2_grpc as logs_grpc
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2 as metrics
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2_grpc as metrics_grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as traces
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc as traces_grpc

lock = threading.Lock()


def show(signal, protocol, headers, message):
    line = {"signal": signal, "protocol": protocol, "headers": headers, "message": MessageToDict(message)}
    with lock:
        print(json.dumps(line), flush=True)


def service(base, signal, answer):
    """A service of gRPC, as the generated code of the protocol has it."""

    def export(_, request, context):
        show(signal, "grpc", dict(context.invocation_metadata()), request)
        return answer()

    return type(signal, (base,), {"Export": export})()


class Http(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    messages = {
        "/v1/traces": ("traces", traces.ExportTraceServiceRequest, traces.ExportTraceServiceResponse),
        "/v1/metrics": ("metrics", metrics.ExportMetricsServiceRequest, metrics.ExportMetricsServiceResponse),
        "/v1/logs": ("logs", logs.ExportLogsServiceRequest, logs.ExportLogsServiceResponse),
    }

    def do_POST(self):
        signal, request, answer = self.messages[self.path]
        assert self.headers["content-type"] == "application/x-protobuf"
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.headers["content-encoding"] == "gzip":
            body = gzip.decompress(body)
        show(signal, "http/protobuf", {k.lower(): v for k, v in self.headers.items()}, request.FromString(body))
        body = answer().SerializeToString()
        self.send_response(200)
        self.send_header("content-type", "application/x-protobuf")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = grpc.server(futures.ThreadPoolExecutor(4))
traces_grpc.add_TraceServiceServicer_to_server(
    service(traces_grpc.TraceServiceServicer, "traces", traces.ExportTraceServiceResponse), server
)
metrics_grpc.add_MetricsServiceServicer_to_server(
    service(metrics_grpc.MetricsServiceServicer, "metrics", metrics.ExportMetricsServiceResponse), server
)
logs_grpc.add_LogsServiceServicer_to_server(
    service(logs_grpc.LogsServiceServicer, "logs", logs.ExportLogsServiceResponse), server
)
port = server.add_insecure_port("127.0.0.1:0")
server.start()
http = ThreadingHTTPServer(("127.0.0.1", 0), Http)
threading.Thread(target=http.serve_forever, daemon=True).start()
print(port, http.server_port, flush=True)
# The test ends this by closing the standard input.
sys.stdin.read()
