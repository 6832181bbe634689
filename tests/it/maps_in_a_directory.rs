//! Maps, aliases and classes that a directory holds. The directory is a real slapd, on a socket of the test's folder.

use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::sandbox::{Sandbox, Site};

const SLAPD: &str = "/usr/sbin/slapd";

const CONFIGURATION: &str = r"
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
attributetype ( 1.1.1 NAME 'xFilter' EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
attributetype ( 1.1.2 NAME 'sendmailMTAClassName' EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
attributetype ( 1.1.3 NAME 'sendmailMTAClassValue' EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
attributetype ( 1.1.4 NAME 'sendmailMTACluster' EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
attributetype ( 1.1.5 NAME 'sendmailMTAHost' EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
attributetype ( 1.1.6 NAME 'sendmailMTAAliasGrouping' EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
attributetype ( 1.1.7 NAME 'sendmailMTAKey' EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
attributetype ( 1.1.8 NAME 'sendmailMTAAliasValue' EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
objectclass ( 1.1.20 NAME 'xList' SUP top AUXILIARY MAY ( xFilter $ mail ) )
objectclass ( 1.1.21 NAME 'sendmailMTAClass' SUP top STRUCTURAL MAY ( sendmailMTAClassName $ sendmailMTAClassValue $ sendmailMTACluster $ sendmailMTAHost $ cn ) )
objectclass ( 1.1.22 NAME 'sendmailMTAAliasObject' SUP top STRUCTURAL MAY ( sendmailMTAAliasGrouping $ sendmailMTAKey $ sendmailMTAAliasValue $ sendmailMTACluster $ sendmailMTAHost $ cn ) )
modulepath /usr/lib/ldap
moduleload back_mdb
access to * by * read
database mdb
suffix o=test
rootdn cn=admin,o=test
rootpw secret
directory DIR/db
";

const CONTENTS: &str = "dn: o=test\nobjectClass: organization\no: test\n
dn: uid=alice,o=test\nobjectClass: inetOrgPerson\nuid: alice\ncn: Alice A\nsn: A\nmail: alice@a.test\nmail: alice@b.test\n
dn: uid=bob,o=test\nobjectClass: inetOrgPerson\nuid: bob\ncn: Bob\nsn: B\nmail: bob@b.test\n
dn: cn=team,o=test\nobjectClass: groupOfUniqueNames\nobjectClass: xList\ncn: team\nuniqueMember: uid=alice,o=test\n\
uniqueMember: uid=bob,o=test\nmail: team@t.test\n
dn: cn=search,o=test\nobjectClass: organizationalRole\nobjectClass: xList\ncn: search\nxFilter: (uid=b*)\n
dn: cn=words,o=test\nobjectClass: sendmailMTAClass\ncn: words\nsendmailMTAClassName: Words\nsendmailMTACluster: here\n\
sendmailMTAClassValue: one.test\nsendmailMTAClassValue: two.test\n
dn: cn=alias,o=test\nobjectClass: sendmailMTAAliasObject\ncn: alias\nsendmailMTAAliasGrouping: aliases\n\
sendmailMTACluster: here\nsendmailMTAKey: crew\nsendmailMTAAliasValue: a@next.test\nsendmailMTAAliasValue: b@next.test\n";

struct Directory {
    dir: PathBuf,
    child: Child,
}

impl Directory {
    fn start(dir: PathBuf) -> Self {
        std::fs::create_dir_all(dir.join("db")).unwrap();
        let text = CONFIGURATION.replace("DIR", &dir.display().to_string());
        std::fs::write(dir.join("conf"), text).unwrap();
        std::fs::write(dir.join("ldif"), CONTENTS).unwrap();
        std::fs::write(dir.join("secret"), "secret\n").unwrap();
        std::fs::set_permissions(dir.join("secret"), std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        let mut slapadd = Command::new(SLAPD);
        slapadd.args(["-Tadd", "-f"]).arg(dir.join("conf")).arg("-l").arg(dir.join("ldif"));
        let added = slapadd.output().unwrap();
        assert!(added.status.success(), "{added:?}");
        let child = Self::serve(&dir);
        Self { dir, child }
    }

    fn serve(dir: &Path) -> Child {
        let socket = dir.join("socket");
        let _ = std::fs::remove_file(&socket);
        let mut slapd = Command::new(SLAPD);
        slapd.args(["-d", "0", "-f"]).arg(dir.join("conf")).arg("-h").arg(address(dir));
        let child = slapd.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let limit = Instant::now() + Duration::from_secs(20);
        while UnixStream::connect(&socket).is_err() {
            assert!(Instant::now() < limit, "slapd does not answer");
            std::thread::yield_now();
        }
        child
    }

    fn stop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn address(dir: &Path) -> String {
    format!("ldapi://{}", dir.join("socket").display().to_string().replace('/', "%2F"))
}

fn is_left_out() -> bool {
    let missing = !Path::new(SLAPD).exists();
    if missing {
        println!("LEFT OUT: {SLAPD} is missing (Debian: apt-get install slapd ldap-utils)");
    }
    missing
}

fn lines(dir: &Path) -> String {
    format!(
        "O LDAPDefaultSpec=-H {} -b o=test\nD{{sendmailMTACluster}}here\n\
         Kone ldap -k (uid=%0) -v mail\nKall ldap -k (uid=%0) -v mail -z,\nKnames ldap -n -z, -k (uid=%0) -v mail,cn\n\
         Kpairs ldap -V= -z, -k (uid=%0) -v mail,cn\n\
         Kgroup ldap -z, -k (cn=%0) -v mail:NORMAL:inetOrgPerson,uniqueMember:DN,xFilter:FILTER\n\
         Kraw ldap -z, -k (uid=%s) -v mail\nKonly ldap -1 -k (uid=%s) -v cn\nKlimit ldap -Z1 -k (sn=*) -v mail\n\
         Kbase ldap -s base -b uid=bob,o=test -k (objectClass=*) -v cn\nKnobase ldap -b o=no -k (uid=%0)\n\
         Kbound ldap -M simple -d cn=admin,o=test -P {}/secret -k (uid=%0) -v mail\n\
         Kwrong ldap -M simple -d cn=nobody,o=test -P {}/secret -k (uid=%0) -v mail\nKfilter ldap -k (uid=%0 -v mail\n\
         Knone ldap -o -H ldapi://%2Fnosuch -k (uid=%0)\nF{{Words}}@LDAP\n",
        address(dir),
        dir.display(),
        dir.display()
    )
}

fn test_mode(site: &Site, input: &str) -> String {
    let mut child = site.command().arg("-bt").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), input.as_bytes()).unwrap();
    String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap()
}

#[test]
fn a_directory_answers_as_it_answers_the_original() {
    if is_left_out() {
        return;
    }
    let sandbox = Sandbox::new();
    let directory = Directory::start(sandbox.path("ldap"));
    let site = sandbox.mta("a", 1, &lines(&directory.dir));
    for (map, key, answer) in [
        ("one", "Alice", "returns alice@a.test (0)"),
        ("one", "nosuch", "no match (68)"),
        ("one", "al*", "no match (68)"),
        ("one", "(", "no match (68)"),
        ("all", "alice", "returns alice@a.test,alice@b.test (0)"),
        ("names", "alice", "returns cn,mail (0)"),
        ("pairs", "alice", "returns cn=Alice A,mail=alice@a.test,mail=alice@b.test (0)"),
        ("group", "team", "returns alice@a.test,alice@b.test,bob@b.test (0)"),
        ("raw", "*", "returns alice@a.test,alice@b.test,bob@b.test (0)"),
        ("only", "b*", "returns Bob (0)"),
        ("only", "*", "no match (68)"),
        ("limit", "x", "Size limit exceeded\nno match (75)"),
        ("base", "x", "returns Bob (0)"),
        ("nobase", "x", "Error getting LDAP results, map=nobase, name=x: No such object\nno match (75)"),
        ("bound", "bob", "returns bob@b.test (0)"),
        ("wrong", "bob", "Invalid credentials\nno match (75)"),
        ("filter", "bob", "Error in ldap_search in map filter: Bad search filter\nno match (75)"),
        ("none", "bob", "no match (0)"),
    ] {
        let told = test_mode(&site, &format!("/map {map} {key}\n"));
        assert!(told.contains(answer), "{map} {key}: {told}");
    }
    let words = test_mode(&site, "$={Words}\n");
    assert!(words.contains("one.test") && words.contains("two.test"), "{words}");
}

#[test]
fn aliases_come_from_a_directory_and_an_absent_one_keeps_the_mail() {
    if is_left_out() {
        return;
    }
    let sandbox = Sandbox::new();
    let mut directory = Directory::start(sandbox.path("ldap"));
    let site = sandbox.mta("a", 1, &format!("{}O AliasFile=ldap:\n", lines(&directory.dir)));
    let verify = || {
        let output = site.command().args(["-bv", "crew"]).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let told = verify();
    assert!(told.contains("a@next.test... deliverable") && told.contains("b@next.test... deliverable"), "{told}");
    directory.stop();
    let told = verify();
    assert!(!told.contains("User unknown"), "{told}");
    directory.child = Directory::serve(&directory.dir);
    assert!(verify().contains("a@next.test... deliverable"));
}
