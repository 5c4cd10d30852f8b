"""Leads connections to AWS's own hosts to the platform, whichever library makes them.

The interpreter imports this before anything else. boto3 honours AWS_ENDPOINT_URL; hand-written requests do not. Names are looked up
in one place, so it is enough that an AWS name stands for the platform's address: the request itself, its Host header and the name
that TLS asks a certificate for stay as the code made them.
"""

import os


def place(url):
    """Host and port of a URL."""
    scheme, _, rest = url.partition("://")
    authority = rest.partition("/")[0]
    host, colon, port = authority.rpartition(":")
    if not colon or not port.isdigit():
        host, port = authority, "443" if scheme == "https" else "80"
    return host.strip("[]"), int(port)


def redirect(url):
    import socket

    host, port = place(url)
    look_up = socket.getaddrinfo

    def getaddrinfo(name, service, *args, **kwargs):
        text = name.decode("ascii", "replace") if isinstance(name, (bytes, bytearray)) else name
        text = text.lower() if isinstance(text, str) else ""
        # Clients of custom resources keep the platform's host and drop its port.
        if text.endswith((".amazonaws.com", ".amazonaws.com.cn", ".api.aws")) or (text == host and service == 443):
            return look_up(host, port, *args, **kwargs)
        return look_up(name, service, *args, **kwargs)

    socket.getaddrinfo = getaddrinfo


if os.environ.get("AWS_ENDPOINT_URL"):
    redirect(os.environ["AWS_ENDPOINT_URL"])
