# make check    formatting, lints, every test
# make demo     the main job end to end, as an ordinary user, in a temporary folder
# make peers    handshakes and mail with Postfix, Exim and others, both ways (root; Debian's packages are unpacked, not installed)
# make fuzz     every fuzz target in turn, SECONDS=60 each; needs nightly and cargo-fuzz (fuzz/README.md)
# make build    release binaries
# make install  release binaries, the m4 library and documents under $(DESTDIR)$(PREFIX)
# make install-cf  the m4 library alone, below $(DESTDIR)$(CFDIR)

PREFIX     ?= /usr
SBINDIR    ?= $(PREFIX)/sbin
BINDIR     ?= $(PREFIX)/bin
LIBEXECDIR ?= $(PREFIX)/libexec/sendmail
# Where programs of old look for it.
LIBDIR     ?= $(PREFIX)/lib
MANDIR     ?= $(PREFIX)/share/man
DOCDIR     ?= $(PREFIX)/share/doc/sendmail-rs
CFDIR      ?= $(PREFIX)/share/sendmail-cf
SPOOLDIR   ?= /var/spool
MSPGROUP   ?= smmsp
CONFDIR    ?= /etc/mail
UNITDIR    ?= $(PREFIX)/lib/systemd/system
CARGO      ?= cargo
CARGOFLAGS ?= --locked
# Where the binaries are that are installed.
BUILT      ?= target/release

.PHONY: all build check fuzz demo peers install install-cf uninstall need-check need-demo clean

all: build

need-check:
	@contrib/need pkg-config:pkg-config libssl-dev:openssl.pc libsasl2-dev:libsasl2.pc gcc:cc m4:m4 openssl:openssl db5.3-util:db5.3_verify slapd:/usr/sbin/slapd ldap-utils:ldapsearch \
		sasl2-bin:/usr/sbin/saslauthd libsasl2-modules:'/usr/lib/*/sasl2/libplain.so'

need-demo:
	@contrib/need pkg-config:pkg-config libssl-dev:openssl.pc libsasl2-dev:libsasl2.pc gcc:cc m4:m4 openssl:openssl

build:
	$(CARGO) build --release $(CARGOFLAGS) --bins

check: need-check
	$(CARGO) fmt --all --check
	$(CARGO) clippy $(CARGOFLAGS) --all-targets -- -D warnings
	$(CARGO) test $(CARGOFLAGS)

# Memory, the time of one input and the processor are bounded; the first target that fails ends it.
SECONDS_EACH = $(or $(SECONDS),60)
TARGETS ?= $(basename $(notdir $(wildcard fuzz/fuzz_targets/*.rs)))
fuzz:
	cd fuzz && $(CARGO) +nightly fuzz build
	cd fuzz && for target in $(TARGETS); do \
	    nice -n 19 $(CARGO) +nightly fuzz run $$target -- \
	        -max_total_time=$(SECONDS_EACH) -max_len=24576 -rss_limit_mb=1024 -timeout=10 -print_final_stats=1 || exit 1; \
	done

demo: need-demo
	$(CARGO) build $(CARGOFLAGS) --bins
	contrib/demo/run target/debug

peers: need-demo
	$(CARGO) build $(CARGOFLAGS) --bins
	contrib/peers/run target/debug

# What stood under a name before is kept beside it, once; uninstall puts it back.
PROGRAMS = $(LIBDIR)/sendmail $(addprefix $(BINDIR)/,mailq newaliases) $(addprefix $(SBINDIR)/,sendmail mailq newaliases hoststat purgestat sendmail-msp makemap editmap praliases certs \
	mtail cfcheck tlscheck gencf mailstats rmail smrsh mail.local) $(addprefix $(LIBEXECDIR)/,sendmail sendmail-msp mail.local smrsh vacation echo-mail) \
	$(addprefix $(UNITDIR)/,sendmail.service sendmail-msp.service)
PAGES = $(addprefix $(MANDIR)/,man1/mailq.1 man1/newaliases.1 man1/vacation.1 $(addprefix man8/,sendmail.8 sendmail-msp.8 makemap.8 editmap.8 praliases.8 \
	certs.8 mtail.8 cfcheck.8 gencf.8 tlscheck.8 mailstats.8 mail.local.8 smrsh.8 rmail.8))
# What installations put in place whose mark lists no names.
UNLISTED = $(filter-out $(LIBDIR)/sendmail $(BINDIR)/% $(addprefix $(SBINDIR)/,rmail smrsh mail.local),$(PROGRAMS)) \
	$(filter-out $(MANDIR)/man1/% $(addprefix $(MANDIR)/man8/,smrsh.8 rmail.8),$(PAGES))
KEPT = before-sendmail-rs
CFPARTS = domain feature hack mailer ostype siteconfig
CFFILES = $(wildcard m4/*.m4) $(foreach folder,$(CFPARTS),$(patsubst cf/%,%,$(wildcard cf/$(folder)/*.m4))) \
	$(patsubst cf/%,%,$(wildcard cf/cf/*.mc)) sh/build
# Lists what is ours, a name a line.
MARK = $(DESTDIR)$(LIBEXECDIR)/.installed-by-sendmail-rs
LIST_OURS = if [ -s $(MARK) ]; then cat $(MARK); elif [ -e $(MARK) ]; then printf '%s\n' $(UNLISTED); fi

# Built anew where cargo is; root often has none in its path, and then what was built before is installed.
BINARIES = $(basename $(notdir $(wildcard src/bin/*.rs)))
.PHONY: built
built:
	@if command -v $(CARGO) >/dev/null; then $(MAKE) build; \
	else echo "install: $(CARGO) is not in the path: the binaries of $(BUILT) are installed as they are"; fi
	@for name in $(BINARIES); do \
		[ -x $(BUILT)/$$name ] || { echo "install: $(BUILT)/$$name is not built:" \
			"run \"make build\" as the user who has $(CARGO), then \"make install\" again"; exit 1; }; done

# Nothing is moved before all is there.
install: built
	@$(MAKE) --no-print-directory install-cf
	@ours=$$($(LIST_OURS)); \
	for name in $(PROGRAMS) $(PAGES); do old=$(DESTDIR)$$name; \
		if printf '%s\n' "$$ours" | grep -qxF -e $$name; then continue; fi; \
		if { [ -e $$old ] || [ -L $$old ]; } && [ ! -e $$old.$(KEPT) ] && [ ! -L $$old.$(KEPT) ]; then \
			mv $$old $$old.$(KEPT) && echo "install: $$old is now $$old.$(KEPT)" || exit 1; fi; done
	install -d $(DESTDIR)$(SBINDIR) $(DESTDIR)$(LIBEXECDIR) $(DESTDIR)$(DOCDIR)/docs
	@printf '%s\n' $(PROGRAMS) $(PAGES) >$(MARK)
	install -m 755 $(BUILT)/sendmail $(DESTDIR)$(LIBEXECDIR)/sendmail
	install -m 755 $(BUILT)/sendmail-msp $(DESTDIR)$(LIBEXECDIR)/sendmail-msp
	install -m 755 $(BUILT)/mail-local $(DESTDIR)$(LIBEXECDIR)/mail.local
	install -m 755 $(BUILT)/smrsh $(DESTDIR)$(LIBEXECDIR)/smrsh
	install -m 755 $(BUILT)/vacation $(DESTDIR)$(LIBEXECDIR)/vacation
	install -m 755 $(BUILT)/rmail $(DESTDIR)$(SBINDIR)/rmail
	install -m 755 $(BUILT)/makemap $(DESTDIR)$(SBINDIR)/makemap
	install -m 755 $(BUILT)/editmap $(DESTDIR)$(SBINDIR)/editmap
	install -m 755 $(BUILT)/praliases $(DESTDIR)$(SBINDIR)/praliases
	install -m 755 $(BUILT)/certs $(DESTDIR)$(SBINDIR)/certs
	install -m 755 $(BUILT)/mtail $(DESTDIR)$(SBINDIR)/mtail
	install -m 755 $(BUILT)/cfcheck $(DESTDIR)$(SBINDIR)/cfcheck
	install -m 755 $(BUILT)/tlscheck $(DESTDIR)$(SBINDIR)/tlscheck
	install -m 755 $(BUILT)/gencf $(DESTDIR)$(SBINDIR)/gencf
	install -m 755 $(BUILT)/mailstats $(DESTDIR)$(SBINDIR)/mailstats
	for name in sendmail mailq newaliases hoststat purgestat; do \
		ln -sfn $(LIBEXECDIR)/sendmail $(DESTDIR)$(SBINDIR)/$$name || exit 1; done
	@# What users call is in their path, too.
	install -d $(DESTDIR)$(BINDIR)
	for name in mailq newaliases; do ln -sfn $(LIBEXECDIR)/sendmail $(DESTDIR)$(BINDIR)/$$name || exit 1; done
	ln -sfn $(LIBEXECDIR)/sendmail-msp $(DESTDIR)$(SBINDIR)/sendmail-msp
	@# Where FEATURE(smrsh) and FEATURE(local_lmtp) of OSTYPE(linux) look for them.
	for name in smrsh mail.local; do ln -sfn $(LIBEXECDIR)/$$name $(DESTDIR)$(SBINDIR)/$$name || exit 1; done
	install -d $(DESTDIR)$(LIBDIR)
	ln -sfn $(SBINDIR)/sendmail $(DESTDIR)$(LIBDIR)/sendmail
	install -m 755 contrib/echo/echo-mail $(DESTDIR)$(LIBEXECDIR)/echo-mail
	install -m 644 README.md $(DESTDIR)$(DOCDIR)
	install -m 644 docs/*.md $(DESTDIR)$(DOCDIR)/docs
	install -d $(DESTDIR)$(MANDIR)/man1 $(DESTDIR)$(MANDIR)/man8
	install -m 644 man/mailq.1 man/newaliases.1 man/vacation.1 $(DESTDIR)$(MANDIR)/man1
	install -m 644 man/sendmail.8 man/sendmail-msp.8 man/makemap.8 man/editmap.8 man/praliases.8 $(DESTDIR)$(MANDIR)/man8
	install -m 644 man/certs.8 man/mtail.8 $(DESTDIR)$(MANDIR)/man8
	install -m 644 man/cfcheck.8 man/gencf.8 man/tlscheck.8 man/mailstats.8 man/smrsh.8 man/rmail.8 $(DESTDIR)$(MANDIR)/man8
	install -m 644 man/mail-local.8 $(DESTDIR)$(MANDIR)/man8/mail.local.8
	install -d $(DESTDIR)$(CONFDIR) $(DESTDIR)$(UNITDIR)
	@# A help file that somebody wrote stays.
	[ -e $(DESTDIR)$(CONFDIR)/helpfile ] || install -m 644 contrib/helpfile $(DESTDIR)$(CONFDIR)/helpfile
	install -m 644 contrib/systemd/sendmail.service contrib/systemd/sendmail-msp.service $(DESTDIR)$(UNITDIR)
	@if getent group $(MSPGROUP) >/dev/null && [ "$$(id -u)" = 0 ]; then \
		chgrp $(MSPGROUP) $(DESTDIR)$(LIBEXECDIR)/sendmail && chmod 2755 $(DESTDIR)$(LIBEXECDIR)/sendmail; \
	else \
		echo "install: group $(MSPGROUP) is missing or you are not root: submission by users needs" \
			"$(LIBEXECDIR)/sendmail to be set-group-id $(MSPGROUP); README, \"Build and install\", says how"; fi

# A library that stood there before is kept beside ours, as programs are.
CFMARK = $(DESTDIR)$(CFDIR)/.installed-by-sendmail-rs
OLDCF = $(DESTDIR)$(CFDIR).$(KEPT)
install-cf:
	@if { [ -e $(DESTDIR)$(CFDIR) ] || [ -L $(DESTDIR)$(CFDIR) ]; } && [ ! -e $(CFMARK) ]; then \
		if [ -e $(OLDCF) ] || [ -L $(OLDCF) ]; then \
			echo "install: $(DESTDIR)$(CFDIR) is not ours, and $(OLDCF) is there already: move one of them away"; exit 1; fi; \
		mv $(DESTDIR)$(CFDIR) $(OLDCF) && echo "install: $(DESTDIR)$(CFDIR) is now $(OLDCF)" || exit 1; fi
	for folder in m4 $(CFPARTS) cf sh; do install -d $(DESTDIR)$(CFDIR)/$$folder || exit 1; done
	@touch $(CFMARK)
	install -m 644 m4/*.m4 $(DESTDIR)$(CFDIR)/m4
	for folder in $(CFPARTS); do install -m 644 cf/$$folder/*.m4 $(DESTDIR)$(CFDIR)/$$folder || exit 1; done
	install -m 644 cf/cf/*.mc $(DESTDIR)$(CFDIR)/cf
	install -m 755 cf/sh/build $(DESTDIR)$(CFDIR)/sh
	install -m 644 cf/README.md $(DESTDIR)$(CFDIR)

uninstall:
	@[ -e $(MARK) ] || [ -e $(CFMARK) ] || { echo "uninstall: nothing was installed here"; exit 1; }
	@for name in $$($(LIST_OURS)); do new=$(DESTDIR)$$name; rm -f $$new || exit 1; \
		if [ -e $$new.$(KEPT) ] || [ -L $$new.$(KEPT) ]; then mv $$new.$(KEPT) $$new || exit 1; fi; done
	@# The library is taken away file by file: what a site put there or changed stays, and the mark with it.
	@if [ -e $(CFMARK) ]; then \
		for file in $(CFFILES) README.md; do \
			case $$file in m4/*) source=$$file ;; *) source=cf/$$file ;; esac; \
			if cmp -s $$source $(DESTDIR)$(CFDIR)/$$file; then rm -f $(DESTDIR)$(CFDIR)/$$file || exit 1; fi; done; \
		for folder in m4 $(CFPARTS) cf sh; do rmdir $(DESTDIR)$(CFDIR)/$$folder 2>/dev/null; done; \
		if [ "$$(ls -A $(DESTDIR)$(CFDIR))" = "$(notdir $(CFMARK))" ]; then \
			rm -f $(CFMARK) && rmdir $(DESTDIR)$(CFDIR) || exit 1; \
			if [ -e $(OLDCF) ] || [ -L $(OLDCF) ]; then mv $(OLDCF) $(DESTDIR)$(CFDIR) || exit 1; fi; \
		else echo "uninstall: $(DESTDIR)$(CFDIR) has files of this site, which stay"; \
			if [ -e $(OLDCF) ] || [ -L $(OLDCF) ]; then \
				echo "uninstall: the library of before is $(OLDCF): when you have moved those files away, \"make uninstall\" puts it back"; fi; \
		fi; fi
	@cmp -s contrib/helpfile $(DESTDIR)$(CONFDIR)/helpfile && rm -f $(DESTDIR)$(CONFDIR)/helpfile || true
	rm -f $(MARK)

clean:
	$(CARGO) clean
