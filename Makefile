# make check    formatting, lints, every test
# make demo     the main job end to end, as an ordinary user, in a temporary folder
# make build    release binaries
# make install  release binaries under $(DESTDIR)$(PREFIX)

PREFIX     ?= /usr
SBINDIR    ?= $(PREFIX)/sbin
LIBEXECDIR ?= $(PREFIX)/libexec/sendmail
MANDIR     ?= $(PREFIX)/share/man
DOCDIR     ?= $(PREFIX)/share/doc/sendmail-rs
SPOOLDIR   ?= /var/spool
MSPGROUP   ?= smmsp
CARGO      ?= cargo
CARGOFLAGS ?= --locked

.PHONY: all build check demo install need-check need-demo clean

all: build

need-check:
	@contrib/need pkg-config:pkg-config libssl-dev:openssl.pc libsasl2-dev:libsasl2.pc gcc:cc m4:m4 openssl:openssl db5.3-util:db5.3_verify slapd:/usr/sbin/slapd ldap-utils:ldapsearch

need-demo:
	@contrib/need pkg-config:pkg-config libssl-dev:openssl.pc libsasl2-dev:libsasl2.pc gcc:cc openssl:openssl

build:
	$(CARGO) build --release $(CARGOFLAGS) --bins

check: need-check
	$(CARGO) fmt --all --check
	$(CARGO) clippy $(CARGOFLAGS) --all-targets -- -D warnings
	$(CARGO) test $(CARGOFLAGS)

demo: need-demo
	$(CARGO) build $(CARGOFLAGS) --bins
	contrib/demo/run target/debug

install: build
	install -d $(DESTDIR)$(SBINDIR) $(DESTDIR)$(LIBEXECDIR) $(DESTDIR)$(DOCDIR)
	install -m 755 target/release/sendmail $(DESTDIR)$(LIBEXECDIR)/sendmail
	install -m 755 target/release/sendmail-msp $(DESTDIR)$(LIBEXECDIR)/sendmail-msp
	install -m 755 target/release/mail-local $(DESTDIR)$(LIBEXECDIR)/mail.local
	install -m 755 target/release/makemap $(DESTDIR)$(SBINDIR)/makemap
	install -m 755 target/release/editmap $(DESTDIR)$(SBINDIR)/editmap
	install -m 755 target/release/praliases $(DESTDIR)$(SBINDIR)/praliases
	install -m 755 target/release/certs $(DESTDIR)$(SBINDIR)/certs
	install -m 755 target/release/mtail $(DESTDIR)$(SBINDIR)/mtail
	install -m 755 target/release/cfcheck $(DESTDIR)$(SBINDIR)/cfcheck
	for name in sendmail mailq newaliases hoststat purgestat; do \
		ln -sf $(LIBEXECDIR)/sendmail $(DESTDIR)$(SBINDIR)/$$name || exit 1; done
	ln -sf $(LIBEXECDIR)/sendmail-msp $(DESTDIR)$(SBINDIR)/sendmail-msp
	install -m 644 README.md docs/*.md $(DESTDIR)$(DOCDIR)
	install -d $(DESTDIR)$(MANDIR)/man8
	install -m 644 man/sendmail.8 man/sendmail-msp.8 man/makemap.8 man/editmap.8 man/praliases.8 $(DESTDIR)$(MANDIR)/man8
	install -m 644 man/certs.8 man/mtail.8 $(DESTDIR)$(MANDIR)/man8
	install -m 644 man/cfcheck.8 $(DESTDIR)$(MANDIR)/man8
	install -m 644 man/mail-local.8 $(DESTDIR)$(MANDIR)/man8/mail.local.8
	@if getent group $(MSPGROUP) >/dev/null && [ "$$(id -u)" = 0 ]; then \
		chgrp $(MSPGROUP) $(DESTDIR)$(LIBEXECDIR)/sendmail && chmod 2755 $(DESTDIR)$(LIBEXECDIR)/sendmail; \
	else \
		echo "install: group $(MSPGROUP) is missing or you are not root: submission by users needs" \
			"$(LIBEXECDIR)/sendmail to be set-group-id $(MSPGROUP)"; fi

clean:
	$(CARGO) clean
