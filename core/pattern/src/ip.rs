//! IP address literals and address ranges.

use std::net::Ipv6Addr;

/// An address. IPv6 addresses that map an IPv4 address are that IPv4 address, as in Java's resolver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Address {
    V4(u32),
    V6(u128),
}

impl Address {
    /// Reads a literal: four decimal numbers (leading zeros allowed) or IPv6 in hexadecimal groups. No dotted IPv4
    /// inside IPv6, no zone, no mask.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        if !matches!(bytes.first(), Some(b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F' | b':')) {
            return None;
        }
        let is_v6 = |byte: &u8| byte.is_ascii_hexdigit() || *byte == b':';
        if bytes.contains(&b':') {
            let address: Ipv6Addr = bytes.iter().all(is_v6).then(|| text.parse().ok())??;
            return Some(match address.to_ipv4_mapped() {
                Some(v4) => Self::V4(v4.to_bits()),
                None => Self::V6(address.to_bits()),
            });
        }
        let mut address = 0u32;
        let mut parts = 0;
        for part in text.split('.') {
            if part.is_empty() || !part.bytes().all(|byte| byte.is_ascii_digit()) {
                return None;
            }
            let number = part.trim_start_matches('0');
            let number: u8 = if number.is_empty() { 0 } else { number.parse().ok()? };
            address = address << 8 | u32::from(number);
            parts += 1;
            if parts > 4 {
                return None;
            }
        }
        (parts == 4).then_some(Self::V4(address))
    }
}

/// A range of addresses given as address and mask length.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Cidr {
    pub(crate) text: Box<str>,
    pub(crate) range: CidrRange,
}

/// Lowest and highest address, both inside.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum CidrRange {
    V4(u32, u32),
    V6(u128, u128),
}

impl Cidr {
    /// Reads `address/bits`; the host bits are masked off. The error is EventBridge's reason.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let Some((address, bits)) = text.split_once('/').filter(|(_, bits)| !bits.contains('/')) else {
            return Err("Malformed CIDR, one '/' required".to_owned());
        };
        let bits: i32 =
            bits.parse().map_err(|_| "Malformed CIDR, mask bits must be an integer".to_owned())?;
        let bits =
            u32::try_from(bits).map_err(|_| "Malformed CIDR, mask bits must not be negative".to_owned())?;
        let range = match Address::parse(address) {
            None => return Err(format!("Nonstandard IP address: {address}")),
            Some(Address::V4(_)) if bits > 31 => return Err("IPv4 mask bits must be < 32".to_owned()),
            Some(Address::V6(_)) if bits > 127 => return Err("IPv6 mask bits must be < 128".to_owned()),
            Some(Address::V4(address)) => {
                let host = u32::MAX >> bits;
                CidrRange::V4(address & !host, address | host)
            }
            Some(Address::V6(address)) => {
                let host = u128::MAX >> bits;
                CidrRange::V6(address & !host, address | host)
            }
        };
        Ok(Self { text: text.into(), range })
    }

    pub(crate) fn contains(&self, value: &str) -> bool {
        Address::parse(value).is_some_and(|address| self.range.contains(address))
    }
}

/// The leading 32 bits of an IPv6 address.
pub(crate) fn lead(address: u128) -> u32 {
    (address >> 96) as u32
}

impl CidrRange {
    /// EventBridge compares the addresses' hexadecimal digits from the left and stops as soon as the range is
    /// decided. So `0.0.0.0/0` holds `::1`, and an IPv6 range holds the IPv4 addresses strictly inside its leading
    /// digits.
    pub(crate) fn contains(self, address: Address) -> bool {
        match (self, address) {
            (Self::V4(low, high), Address::V4(address)) => low <= address && address <= high,
            (Self::V6(low, high), Address::V6(address)) => low <= address && address <= high,
            (Self::V4(low, high), Address::V6(address)) => (low..=high).contains(&lead(address)),
            (Self::V6(low, high), Address::V4(address)) => lead(low) < address && address < lead(high),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Address, Cidr};

    #[test]
    fn literals() {
        let same = |a, b| Address::parse(a).is_some() && Address::parse(a) == Address::parse(b);
        assert!(same("10.0.0.1", "010.000.000.001"));
        assert!(same("2001:db8::1", "2001:DB8:0:0:0:0:0:1"));
        assert!(same("::ffff:a00:1", "10.0.0.1"));
        for no in [
            "",
            "10.0.0",
            "10.0.0.1.2",
            "10.0.0.256",
            "10.0.0.",
            "::ffff:10.0.0.1",
            "10.0.0.1/32",
            "1:",
            "x",
            "-1",
        ] {
            assert_eq!(Address::parse(no), None, "{no}");
        }
    }

    #[test]
    fn ranges() {
        for (cidr, value, inside) in [
            ("10.0.0.77/24", "10.0.0.1", true),
            ("10.0.0.77/24", "10.0.1.0", false),
            ("0.0.0.0/0", "::1", true),
            ("10.0.0.0/24", "10.0.0.1/32", false),
            ("10.0.0.0/24", "167772161", false),
            ("10.0.0.0/24", "::ffff:10.0.0.1", false),
            ("2001:db8::/32", "2001:db8:ffff::", true),
            ("2001:db8::/32", "2001:db9::", false),
            ("::/0", "10.0.0.1", true),
        ] {
            assert_eq!(Cidr::parse(cidr).unwrap().contains(value), inside, "{cidr} {value}");
        }
        for bad in [
            "10.0.0.0/32",
            "::/128",
            "10.0.0.0",
            "10.0.0/8",
            "foo",
            "foo/8",
            "10.0.0.0/-1",
            "10.0.0.0/x",
            "1.1.1.1/8/9",
        ] {
            assert!(Cidr::parse(bad).is_err(), "{bad}");
        }
    }
}
