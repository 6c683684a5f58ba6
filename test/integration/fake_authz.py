"""An authorization service in Python, written from the wire facts and sharing no code with the proxy.

    service = FakeAuthz(lambda request: allowed(...))    # called with each CheckRequest, on threads of its own
    service.asked                                        # every AttributeContext so far
    service.given_up                                     # how many questions, before their time was over
    service.stop()"""
import concurrent.futures

import grpc

from fake_ads import PATIENCE, message

Request = message("envoy.service.auth.v3.CheckRequest")
Response = message("envoy.service.auth.v3.CheckResponse")
SERVICE = "envoy.service.auth.v3.Authorization"


def _put(fields, into):
    """fields: (name, value) or (name, value, append)."""
    for name, value, *append in fields:
        option = into.add()
        option.header.key, option.header.value = name, value
        if append:
            option.append.value = append[0]


def allowed(headers=(), remove=(), response=()):
    made = Response()
    made.ok_response.SetInParent()
    _put(headers, made.ok_response.headers)
    made.ok_response.headers_to_remove.extend(remove)
    _put(response, made.ok_response.response_headers_to_add)
    return made


def denied(status=0, body="", headers=(), code=7):
    made = Response()
    made.status.code = code
    made.denied_response.status.code = status
    made.denied_response.body = body
    _put(headers, made.denied_response.headers)
    return made


class FakeAuthz:
    def __init__(self, answer=lambda request: allowed(), port=0, credentials=None):
        self.answer, self.asked, self.given_up = answer, [], 0
        self.server = grpc.server(concurrent.futures.ThreadPoolExecutor(64), options=[("grpc.so_reuseport", 0)])
        handler = grpc.unary_unary_rpc_method_handler(self._check, Request.FromString, Response.SerializeToString)
        self.server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, {"Check": handler}),))
        address = "127.0.0.1:%d" % port
        self.port = (self.server.add_secure_port(address, credentials) if credentials
                     else self.server.add_insecure_port(address))
        assert self.port, "cannot bind"
        self.server.start()
        self.address = "127.0.0.1:%d" % self.port

    def _check(self, request, context):
        answering = [True]
        context.add_callback(lambda: self._ended(answering[0] and context.time_remaining() > 0))
        self.asked.append(request.attributes)
        try:
            return self.answer(request.attributes)
        finally:
            answering[0] = False

    def _ended(self, early):
        self.given_up += early

    def stop(self):
        self.server.stop(None).wait(PATIENCE)
