//! Section 9: parameters of Postfix and what stands for them.

use super::*;

#[test]
fn r9_each_parameter_of_postfix_has_its_option() {
    let place = Place::new();
    let next = tls_host(&place.authority);
    // smtpd_tls_CAfile, _cert_file, _key_file and smtp_tls_…: the six options. smtp(d)_tls_loglevel: LogLevel. smtp(d)_use_tls: UseTLS.
    let lines = format!("O LogLevel=14\nO UseTLS=True\n{}", place.authority.options("a.test"));
    let running = place.run("a", next.port, &lines);
    send(&running);
    assert_eq!(next.wait_for(1)[0].client.as_deref(), Some("a.test"));
    // smtpd_tls_ask_ccert: asked by default; srv_features V for some, TLSSrvOptions=V for all.
    assert!(place.receives(&running, Some("client.test")).contains("verify=OK)"));
    for (name, line) in [("b", "Ssrv_features\nR$*\t$# V\n"), ("c", "O TLSSrvOptions=V\n")] {
        let other = place.run(name, 1, &format!("Cwa.test\n{}{line}", place.authority.options("a.test")));
        assert!(place.receives(&other, Some("client.test")).contains("verify=NOT)"), "{line}");
    }
    // smtpd_use_tls=no for some.
    let off = place.run("d", 1, &format!("{}Ssrv_features\nR$*\t$# S\n", place.authority.options("a.test")));
    assert!(!off.offers());
    // relay_clientcerts: fingerprints for rules.
    let digest = "O CertFingerprintAlgorithm=sha256\nHX-Print: ${cert_fp}\n";
    let prints = place.run("e", 1, &format!("Cwa.test\n{}{digest}", place.authority.options("a.test")));
    let shown = place.receives(&prints, Some("client.test"));
    let file = place.authority.path("client.test", "crt");
    let wanted = printed(
        "openssl",
        &["x509", "-noout", "-fingerprint", "-sha256", "-in", file.to_str().unwrap()],
        &prints.site.dir,
    );
    let wanted = wanted.trim().split('=').nth(1).unwrap();
    assert!(shown.contains(&format!("X-Print: {wanted}")), "{wanted}: {shown}");
}
