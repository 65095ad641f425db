"""Which network addresses are public: a URL from outside must not reach what is inside."""

import ipaddress
import re


_LABEL = "[0-9A-Za-z_-]{1,63}"
_NAME = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(\.{_LABEL})*\.?", re.DOTALL)
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def is_loopback(host: str) -> bool:
    """Tell whether `host`, a name or an address, is this machine."""
    if host.lower().rstrip(".") == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def is_host(text: str) -> bool:
    """Tell whether `text` can be the host of a URL: a name of the DNS, or an address.

    What cannot is an error of its own kind in each layer that it would pass through.
    """
    if ":" in text or text.rpartition(".")[2].isdecimal():
        try:
            return "%" not in str(ipaddress.ip_address(text))
        except ValueError:
            return False
    return _NAME.fullmatch(text) is not None and _can_be_shown(text)


def _can_be_shown(name: str) -> bool:
    """Tell whether an international name, in its ASCII spelling, is one of a real name."""
    if "xn--" not in name.lower():
        return True
    import idna  # only who needs it waits for it

    try:
        idna.decode(name)
    except UnicodeError:
        return False
    return True


def is_public(address: str) -> bool:
    """Tell whether an IP address belongs to the public internet.

    False for loopback, private, link-local, shared, multicast and reserved
    addresses, and for IPv6 addresses that stand for such an IPv4 address; for
    anything that is no address at all.
    """
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address) and (inner := _embedded(ip)) is not None:
        ip = inner
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


def _embedded(ip: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """Return the IPv4 address that an IPv6 address is another spelling of, if it is."""
    if ip in _NAT64:
        return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    if ip.teredo is not None:
        return ip.teredo[1]
    return ip.ipv4_mapped or ip.sixtofour
