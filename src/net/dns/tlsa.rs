//! TLSA records of mail exchangers.

use bytes::Bytes;

use super::resolver::Resolver;
use super::{Error, RData, RecordType, Records, TlsaAnswer};
use crate::base::domain::without_final_dot;
use crate::net::tls::dane::Record;

impl Resolver {
    /// TLSA records of `host`, a mail exchanger of `domain` (or `domain` itself), for this port.
    ///
    /// They count only when the resolver vouches for every answer on the way: MX, addresses, TLSA. Records of the name that
    /// `host` is an alias of come first. Source: RFC 7672 §2.2.
    pub async fn tlsa(&self, domain: &[u8], host: &[u8], port: u16) -> TlsaAnswer {
        let bare = |name: &[u8]| without_final_dot(name).to_ascii_lowercase();
        if bare(domain) != bare(host) {
            match self.records(domain, RecordType::MX).await {
                Ok(records) if records.is_authentic => {}
                Err(Error::Temporary) => return TlsaAnswer::Failed,
                Ok(_) | Err(_) => return TlsaAnswer::Insecure,
            }
        }
        let end = match self.end_of(host).await {
            Ok(Some(end)) => end,
            Ok(None) => return TlsaAnswer::Insecure,
            Err(()) => return TlsaAnswer::Failed,
        };
        for name in [end, Bytes::from(bare(host))] {
            let question = [format!("_{port}._tcp.").as_bytes(), &name[..], b"."].concat();
            match self.records(&question, RecordType::TLSA).await {
                Ok(answer) if answer.is_authentic => return TlsaAnswer::Secure { name, records: records(&answer) },
                Err(Error::Temporary) => return TlsaAnswer::Failed,
                Ok(_) | Err(_) => {}
            }
        }
        TlsaAnswer::Insecure
    }

    /// The name behind the aliases of a host, when its addresses are signed; `Err` when nobody answers.
    async fn end_of(&self, host: &[u8]) -> Result<Option<Bytes>, ()> {
        let question = [without_final_dot(host), b"."].concat();
        let mut failed = false;
        for kind in [RecordType::A, RecordType::AAAA] {
            match self.records(&question, kind).await {
                Ok(records) if records.is_authentic => {
                    let owner = records.records.iter().find(|r| r.data.record_type() == kind).map(|r| r.name.clone());
                    return Ok(owner);
                }
                Ok(_) => return Ok(None),
                Err(Error::Temporary) => failed = true,
                Err(_) => {}
            }
        }
        if failed { Err(()) } else { Ok(None) }
    }
}

fn records(answer: &Records) -> Vec<Record> {
    let found = answer.records.iter().filter_map(|found| match &found.data {
        RData::TLSA(tlsa) => Some(Record {
            usage: tlsa.cert_usage.into(),
            selector: tlsa.selector.into(),
            matching: tlsa.matching.into(),
            data: Bytes::copy_from_slice(&tlsa.cert_data),
        }),
        _ => None,
    });
    found.collect()
}
