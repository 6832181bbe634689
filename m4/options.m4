divert(-1)
# The options of the configuration file that one define each stands for.
#
#	_option_(option, define, kind, value, what it does)
#
# kind set: the define has this value from the start, the option is always written
# kind ask: the option is written when the define is set; value is an example for the comment
#
# The table is read twice: by defaults.m4 for the values, by assemble.m4 for the lines.
divert(0)dnl
_group_(`Messages as they come in')dnl
_option_(`SevenBitInput', `confSEVEN_BIT_INPUT', `set', `False', `Clears the top bit of every input byte; the body is then never 8-bit.')dnl
_option_(`EightBitMode', `confEIGHT_BIT_HANDLING', `ask', `pass8', `Chooses what to do with undeclared 8-bit bodies: convert to MIME, pass on, or reject with 554.')dnl
_option_(`BlankSub', `confBLANK_SUB', `set', `.', `Stands for unquoted blanks inside an address.')dnl
_option_(`OperatorChars', `confOPERATORS', `set', `.:%@!^/[]+', `Tokenizer separators.')dnl
_option_(`MustQuoteChars', `confMUST_QUOTE_CHARS', `ask', `.', `Characters that force quoting in the phrase of an address. Too long: warned and ignored.')dnl
_option_(`ColonOkInAddr', `confCOLON_OK_IN_ADDR', `ask', `True', `Whether a colon is ordinary in an address.')dnl
_option_(`OldStyleHeaders', `confOLD_STYLE_HEADERS', `set', `True', `Header address lists may be space-separated; adaptive until a comma, angle or paren is seen.')dnl
_option_(`SingleLineFromHeader', `confSINGLE_LINE_FROM_HEADER', `ask', `False', `Unfold From: to one line.')dnl
_option_(`SaveFromLine', `confSAVE_FROM_LINES', `ask', `False', `Keep a leading UNIX From line of the input as part of the header.')dnl
_option_(`IgnoreDots', `confIGNORE_DOTS', `ask', `False', `A lone dot does not end command-line input (same as -i). Never applies to SMTP.')dnl
_option_(`RejectNUL', `confREJECT_NUL', `ask', `false', `A body NUL is answered 554 NUL byte not allowed.')dnl
_option_(`AllowBogusHELO', `confALLOW_BOGUS_HELO', `ask', `False', `HELO/EHLO without a valid name is accepted.')dnl
_option_(`NoRecipientAction', `confNO_RCPT_ACTION', `ask', `none', `What to add if no recipient header exists.')dnl
_option_(`DefaultCharSet', `confDEF_CHAR_SET', `ask', `unknown-8bit', `Charset for 8-bit text made into MIME.')dnl
_option_(`MaxHeadersLength', `confMAX_HEADERS_LENGTH', `ask', `32768', `Total header size limit: 552 Headers too large.')dnl
_option_(`MaxMimeHeaderLength', `confMAX_MIME_HEADER_LENGTH', `ask', `0/0', `Truncates long MIME headers.')dnl
_option_(`MaxMessageSize', `confMAX_MESSAGE_SIZE', `ask', `0', `SIZE limit; announced in EHLO and enforced.')dnl
_option_(`MaxRecipientsPerMessage', `confMAX_RCPTS_PER_MESSAGE', `ask', `0', `Extra RCPTs get 452 4.5.3 Too many recipients.')dnl
_option_(`MaxHopCount', `confMAX_HOP', `ask', `25', `More Received lines than this make the message bounce with 554 5.4.6 Too many hops.')dnl
_option_(`MaxNOOPCommands', `confMAX_NOOP_COMMANDS', `ask', `20', `Limit of NOOP-like commands before delays.')dnl
_option_(`BadRcptThrottle', `confBAD_RCPT_THROTTLE', `ask', `0', `Sleep one second per RCPT after this many rejections.')dnl
_option_(`DontPruneRoutes', `confDONT_PRUNE_ROUTES', `ask', `False', `Keep all hops of a source route when bouncing.')dnl
_group_(`Aliases and users')dnl
_option_(`AliasWait', `confALIAS_WAIT', `set', `10', `How long to wait for an alias database that somebody else rebuilds.')dnl
_option_(`CheckAliases', `confCHECK_ALIASES', `set', `False', `Parses right sides while rebuilding aliases and reports bad ones.')dnl
_option_(`MaxAliasRecursion', `confMAX_ALIAS_RECURSION', `ask', `10', `Depth of alias nesting.')dnl
_option_(`MeToo', `confME_TOO', `ask', `True', `Sender stays in expanded lists. Deprecated.')dnl
_option_(`ForwardPath', `confFORWARD_PATH', `set', `$z/.forward.$w:$z/.forward', `Candidates for the per-user forward file; first that opens safely wins.')dnl
_option_(`UserDatabaseSpec', `confUSERDB_SPEC', `ask', `MAIL_SETTINGS_DIR`'userdb', `User database location.')dnl
_option_(`MailboxDatabase', `confMAILBOX_DATABASE', `ask', `pw', `Where users of this host are looked up.')dnl
_option_(`MatchGECOS', `confMATCH_GECOS', `ask', `False', `Unknown users are searched by full name in the password file.')dnl
_option_(`DefaultUser', `confDEF_USER_ID', `ask', `mailnull', `Uid used for mailers without S, file and program delivery of system aliases.')dnl
_option_(`DontInitGroups', `confDONT_INIT_GROUPS', `ask', `False', `Skip initgroups; set only the primary group.')dnl
_option_(`SafeFileEnvironment', `confSAFE_FILE_ENV', `ask', `', `chroot for file delivery; also forbids delivery to symlinks.')dnl
_option_(`UnixFromLine', `confFROM_LINE', `set', `From $g $d', `mbox separator line.')dnl
_group_(`Rights')dnl
_option_(`PrivacyOptions', `confPRIVACY_FLAGS', `set', `authwarnings', `What clients may ask, and what users may see; words separated by commas.')dnl
_option_(`RunAsUser', `confRUN_AS_USER', `ask', `sendmail', `Uid taken after start-up.')dnl
_option_(`TrustedUser', `confTRUSTED_USER', `ask', `root', `Owner of maps and control socket; may start the daemon, rebuild aliases.')dnl
_option_(`TempFileMode', `confTEMP_FILE_MODE', `set', `0600', `Mode of transcript, status, pid and delivered-to files. Value is read as octal.')dnl
_option_(`QueueFileMode', `confQUEUE_FILE_MODE', `ask', `0600', `Mode of queue files.')dnl
_group_(`Queue')dnl
_option_(`SuperSafe', `confSAFE_QUEUE', `set', `True', `Whether a message is on disk before it is accepted.')dnl
_option_(`DeliveryMode', `confDELIVERY_MODE', `set', `background', `When delivery happens; d also suppresses maps with flag -D.')dnl
_option_(`HoldExpensive', `confCON_EXPENSIVE', `set', `False', `Mail for mailers with flag e is queued at first instead of tried.')dnl
_option_(`CheckpointInterval', `confCHECKPOINT_INTERVAL', `ask', `10', `Rewrites the queue file after this many deliveries so that a crash repeats few of them.')dnl
_option_(`MinFreeBlocks', `confMIN_FREE_BLOCKS', `set', `100', `MAIL is answered 452 when the queue file system has fewer free blocks than this.')dnl
_option_(`MinQueueAge', `confMIN_QUEUE_AGE', `ask', `30m', `Jobs tried more recently than this are skipped, except with -q selection flags.')dnl
_option_(`MaxQueueAge', `confMAX_QUEUE_AGE', `ask', `', `Exponential retry per job up to this bound.')dnl
_option_(`MaxQueueRunSize', `confMAX_QUEUE_RUN_SIZE', `ask', `0', `Jobs per queue run; also limits mailq.')dnl
_option_(`MaxQueueChildren', `confMAX_QUEUE_CHILDREN', `ask', `', `Concurrent queue runner sets.')dnl
_option_(`MaxRunnersPerQueue', `confMAX_RUNNERS_PER_QUEUE', `ask', `1', `Default runners per queue group.')dnl
_option_(`NiceQueueRun', `confNICE_QUEUE_RUN', `ask', `', `nice for queue runners.')dnl
_option_(`QueueSortOrder', `confQUEUE_SORT_ORDER', `ask', `priority', `Order of a queue run.')dnl
_option_(`QueueFactor', `confQUEUE_FACTOR', `ask', `600000', `Multiplier in the load-versus-priority queueing decision.')dnl
_option_(`RecipientFactor', `confWORK_RECIPIENT_FACTOR', `ask', `30000', `Priority lost for each recipient.')dnl
_option_(`ClassFactor', `confWORK_CLASS_FACTOR', `ask', `1800', `Precedence multiplier.')dnl
_option_(`RetryFactor', `confWORK_TIME_FACTOR', `ask', `90000', `Priority lost for each try.')dnl
_option_(`ForkEachJob', `confSEPARATE_PROC', `ask', `False', `One process per job in queue runs; no connection cache then.')dnl
_option_(`FastSplit', `confFAST_SPLIT', `ask', `1', `>0: no MX lookup for envelope splitting; also caps delivery processes on command-line submission.')dnl
_option_(`RequiresDirfsync', `confREQUIRES_DIR_FSYNC', `ask', `true', `fsync directories of the queue.')dnl
_option_(`DataFileBufferSize', `confDF_BUFFER_SIZE', `ask', `4096', `df stays in memory up to this size.')dnl
_option_(`XscriptFileBufferSize', `confXF_BUFFER_SIZE', `ask', `4096', `xf stays in memory up to this size.')dnl
_option_(`SharedMemoryKey', `confSHARED_MEMORY_KEY', `ask', `0', `Shared counters (needed by -bP).')dnl
_option_(`SharedMemoryKeyFile', `confSHARED_MEMORY_KEY_FILE', `ask', `', `Where a self-chosen key is written.')dnl
_group_(`Load')dnl
_option_(`QueueLA', `confQUEUE_LA', `ask', `8', `Above it messages may be only queued.')dnl
_option_(`RefuseLA', `confREFUSE_LA', `ask', `12', `Above it connections are refused.')dnl
_option_(`DelayLA', `confDELAY_LA', `ask', `0', `Sleep one second per command above this load.')dnl
_option_(`RejectLogInterval', `confREJECT_LOG_INTERVAL', `ask', `3h', `How often lasting refusal is logged.')dnl
_option_(`MaxDaemonChildren', `confMAX_DAEMON_CHILDREN', `ask', `0', `Concurrent SMTP children before refusing.')dnl
_option_(`ConnectionRateThrottle', `confCONNECTION_RATE_THROTTLE', `ask', `0', `New connections per second per daemon.')dnl
_option_(`ConnectionRateWindowSize', `confCONNECTION_RATE_WINDOW_SIZE', `ask', `60s', `Window of {client_rate} and {total_rate}.')dnl
_group_(`Delivery to other hosts')dnl
_option_(`ConnectionCacheSize', `confMCI_CACHE_SIZE', `set', `2', `Open SMTP connections kept for re-use.')dnl
_option_(`ConnectionCacheTimeout', `confMCI_CACHE_TIMEOUT', `set', `5m', `Idle limit of a cached connection.')dnl
_option_(`ConnectOnlyTo', `confCONNECT_ONLY_TO', `ask', `0.0.0.0', `All outgoing SMTP goes to this address (tests).')dnl
_option_(`DialDelay', `confDIAL_DELAY', `ask', `0s', `Pause before second connect for mailers with flag Z.')dnl
_option_(`FallbackMXhost', `confFALLBACK_MX', `ask', `fall.back.host.net', `Extra lowest-priority MX.')dnl
_option_(`FallbackSmartHost', `confFALLBACK_SMARTHOST', `ask', `fall.back.host.net', `Last host tried after the MX list.')dnl
_option_(`TryNullMXList', `confTRY_NULL_MX_LIST', `ask', `False', `If we are best MX ourselves, connect to the A record instead of complaining of a loop.')dnl
_option_(`HostStatusDirectory', `confHOST_STATUS_DIRECTORY', `ask', `.hoststat', `Persistent host status. Needs ConnectionCacheSize>0.')dnl
_option_(`SingleThreadDelivery', `confSINGLE_THREAD_DELIVERY', `ask', `False', `At most one connection to a host across processes. Needs HostStatusDirectory.')dnl
_option_(`DeliverByMin', `confDELIVER_BY_MIN', `ask', `0', `Smallest number of seconds taken in BY= of MAIL.')dnl
_option_(`HeloName', `confHELO_NAME', `ask', `', `Name sent in EHLO/HELO.')dnl
_option_(`DirectSubmissionModifiers', `confDIRECT_SUBMISSION_MODIFIERS', `ask', `', `{daemon_flags} for command line mail.')dnl
_option_(`UseMSP', `confUSE_MSP', `ask', `', `Run as submission program: group-writable queue allowed.')dnl
_group_(`Names and addresses of hosts')dnl
_option_(`ServiceSwitchFile', `confSERVICE_SWITCH_FILE', `ask', `MAIL_SETTINGS_DIR`'service.switch', `Service order file: hosts and aliases lines. Absent: aliases files; hosts dns nis files.')dnl
_option_(`HostsFile', `confHOSTS_FILE', `ask', `/etc/hosts', `Table read by canonification under switch entry "files".')dnl
_option_(`ResolverOptions', `confBIND_OPTS', `ask', `+AAONLY', `Switches of the resolver, each with + or -.')dnl
_option_(`DontExpandCnames', `confDONT_EXPAND_CNAMES', `ask', `False', `Do not replace CNAMEs when canonifying.')dnl
_option_(`DontProbeInterfaces', `confDONT_PROBE_INTERFACES', `ask', `False', `Skip adding interface names to $=w.')dnl
_option_(`UseCompressedIPv6Addresses', `confUSE_COMPRESSED_IPV6_ADDRESSES', `ask', `', `:: form of IPv6 addresses.')dnl
_option_(`LDAPDefaultSpec', `confLDAP_DEFAULT_SPEC', `ask', `-h localhost', `Defaults for all LDAP maps; set before them.')dnl
_group_(`Reports about mail that cannot be delivered')dnl
_option_(`ErrorHeader', `confERROR_MESSAGE', `ask', `MAIL_SETTINGS_DIR`'error-header', `Text put at the top of bounce reports.')dnl
_option_(`ErrorMode', `confERROR_MODE', `ask', `print', `How local submission errors are reported: print, quiet, mail, write, or mail with zero exit.')dnl
_option_(`PostmasterCopy', `confCOPY_ERRORS_TO', `ask', `Postmaster', `Header-only copies of bounces go here.')dnl
_option_(`DoubleBounceAddress', `confDOUBLE_BOUNCE_ADDRESS', `ask', `postmaster', `Receiver of bounces of bounces.')dnl
_option_(`DeadLetterDrop', `confDEAD_LETTER_DROP', `ask', `/var/tmp/dead.letter', `Last resort for undeliverable bounces; unset means the qf is renamed Qf.')dnl
_option_(`SendMimeErrors', `confMIME_FORMAT_ERRORS', `set', `True', `Makes bounces multipart/report and enables the DSN extension.')dnl
_option_(`RrtImpliesDsn', `confRRT_IMPLIES_DSN', `ask', `False', `Return-Receipt-To: asks for a success DSN.')dnl
_option_(`UseErrorsTo', `confUSE_ERRORS_TO', `set', `False', `Errors go to Errors-To: addresses rather than the envelope sender. Discouraged.')dnl
_option_(`SoftBounce', `confSOFT_BOUNCE', `ask', `False', `5xx become 4xx.')dnl
_group_(`The running program')dnl
_option_(`SmtpGreetingMessage', `confSMTP_LOGIN_MSG', `set', `$j Sendmail $v/$Z; $b', `Greeting banner.')dnl
_option_(`LogLevel', `confLOG_LEVEL', `set', `9', `How much goes to syslog, 0 to 99.')dnl
_option_(`PidFile', `confPID_FILE', `ask', `/var/run/sendmail/mta/sendmail.pid', `Pid on line 1, command line on line 2.')dnl
_option_(`ProcessTitlePrefix', `confPROCESS_TITLE_PREFIX', `ask', `prefix', `Prefix in ps.')dnl
_option_(`ControlSocketName', `confCONTROL_SOCKET_NAME', `ask', `/var/spool/mqueue/.control', `Control socket; commands help restart shutdown status mstat memdump.')dnl
_group_(`AUTH')dnl
_option_(`AuthMechanisms', `confAUTH_MECHANISMS', `ask', `EXTERNAL GSSAPI KERBEROS_V4 DIGEST-MD5 CRAM-MD5', `Mechanisms offered to clients and used with servers.')dnl
_option_(`AuthRealm', `confAUTH_REALM', `ask', `', `SASL realm.')dnl
_option_(`AuthOptions', `confAUTH_OPTIONS', `ask', `', `Letters that say when AUTH is offered and which mechanisms are good enough.')dnl
_option_(`AuthMaxBits', `confAUTH_MAX_BITS', `ask', `', `Cap on SASL security layer strength.')dnl
_option_(`DefaultAuthInfo', `confDEF_AUTH_INFO', `ask', `MAIL_SETTINGS_DIR`'default-auth-info', `Client AUTH data. Deprecated for the authinfo ruleset.')dnl
_group_(`TLS')dnl
_option_(`CACertPath', `confCACERT_PATH', `ask', `', `More CAs by hash link.')dnl
_option_(`CACertFile', `confCACERT', `ask', `', `Root CAs; their names are sent to clients.')dnl
_option_(`ServerCertFile', `confSERVER_CERT', `ask', `', `Server certificate; without it no STARTTLS is offered.')dnl
_option_(`ServerKeyFile', `confSERVER_KEY', `ask', `', `Server key.')dnl
_option_(`ClientCertFile', `confCLIENT_CERT', `ask', `', `Client certificate.')dnl
_option_(`ClientKeyFile', `confCLIENT_KEY', `ask', `', `Client key.')dnl
_option_(`CRLFile', `confCRL', `ask', `', `Revocation list; unusable file disables STARTTLS.')dnl
_option_(`CRLPath', `confCRL_PATH', `ask', `', `Revocation lists by hash.')dnl
_option_(`DHParameters', `confDH_PARAMETERS', `ask', `', `Server Diffie-Hellman parameters.')dnl
_option_(`CipherList', `confCIPHER_LIST', `ask', `', `TLS up to 1.2 ciphers.')dnl
_option_(`ServerSSLOptions', `confSERVER_SSL_OPTIONS', `ask', `', `OpenSSL option bits, server.')dnl
_option_(`ClientSSLOptions', `confCLIENT_SSL_OPTIONS', `ask', `', `OpenSSL option bits, client.')dnl
_option_(`TLSSrvOptions', `confTLS_SRV_OPTIONS', `ask', `', `V: ask clients for no certificate; C: serve without one.')dnl
_option_(`TLSFallbacktoClear', `confTLS_FALLBACK_TO_CLEAR', `ask', `', `After a failed handshake, retry without STARTTLS.')dnl
_option_(`CertFingerprintAlgorithm', `confCERT_FINGERPRINT_ALGORITHM', `ask', `', `Digest of certificates in {cert_fp}.')dnl
_option_(`DANE', `confDANE', `ask', `false', `TLSA records decide which certificates are good.')dnl
_option_(`RandFile', `confRAND_FILE', `ask', `', `PRNG seed; not needed with /dev/urandom.')dnl
_option_(`SSLEngine', `confSSL_ENGINE', `ask', `', `OpenSSL engine.')dnl
_option_(`SSLEnginePath', `confSSL_ENGINE_PATH', `ask', `', `Loads path/libENGINE.so.')dnl
_group_(`How long to wait')dnl
_option_(`Timeout.aconnect', `confTO_ACONNECT', `ask', `0s', `All connects of one delivery attempt together.')dnl
_option_(`Timeout.auth', `confTO_AUTH', `ask', `10m', `AUTH dialogue.')dnl
_option_(`Timeout.command', `confTO_COMMAND', `ask', `1h', `Server: next command.')dnl
_option_(`Timeout.connect', `confTO_CONNECT', `ask', `5m', `Connecting, at each try.')dnl
_option_(`Timeout.control', `confTO_CONTROL', `ask', `2m', `A control socket transaction.')dnl
_option_(`Timeout.datablock', `confTO_DATABLOCK', `ask', `1h', `Each block of a message body, also reading from programs.')dnl
_option_(`Timeout.datafinal', `confTO_DATAFINAL', `ask', `1h', `Reply to the final dot.')dnl
_option_(`Timeout.datainit', `confTO_DATAINIT', `ask', `5m', `Reply to DATA.')dnl
_option_(`Timeout.fileopen', `confTO_FILEOPEN', `ask', `60s', `Opening .forward and :include: files.')dnl
_option_(`Timeout.helo', `confTO_HELO', `ask', `5m', `Reply to HELO/EHLO.')dnl
_option_(`Timeout.hoststatus', `confTO_HOSTSTATUS', `ask', `30m', `Age at which host status is stale.')dnl
_option_(`Timeout.iconnect', `confTO_ICONNECT', `ask', `5m', `Connecting, at the first try of a message.')dnl
_option_(`Timeout.ident', `confTO_IDENT', `ask', `5s', `RFC 1413 query; 0 turns it off.')dnl
_option_(`Timeout.initial', `confTO_INITIAL', `ask', `5m', `220 greeting.')dnl
_option_(`Timeout.lhlo', `confTO_LHLO', `ask', `2m', `Reply to LHLO.')dnl
_option_(`Timeout.mail', `confTO_MAIL', `ask', `10m', `Reply to MAIL.')dnl
_option_(`Timeout.misc', `confTO_MISC', `ask', `2m', `Reply to short commands (NOOP, VERB).')dnl
_option_(`Timeout.queuereturn', `confTO_QUEUERETURN', `set', `5d', `When a message that cannot be delivered goes back.')dnl
_option_(`Timeout.queuereturn.dsn', `confTO_QUEUERETURN_DSN', `ask', `5d', `The same for reports.')dnl
_option_(`Timeout.queuereturn.non-urgent', `confTO_QUEUERETURN_NONURGENT', `ask', `7d', `The same for negative precedence.')dnl
_option_(`Timeout.queuereturn.normal', `confTO_QUEUERETURN_NORMAL', `ask', `5d', `The same for precedence 0.')dnl
_option_(`Timeout.queuereturn.urgent', `confTO_QUEUERETURN_URGENT', `ask', `2d', `The same for higher precedence.')dnl
_option_(`Timeout.queuewarn', `confTO_QUEUEWARN', `set', `4h', `When the sender is told of the delay.')dnl
_option_(`Timeout.queuewarn.dsn', `confTO_QUEUEWARN_DSN', `ask', `4h', `The same for reports.')dnl
_option_(`Timeout.queuewarn.non-urgent', `confTO_QUEUEWARN_NONURGENT', `ask', `12h', `The same for negative precedence.')dnl
_option_(`Timeout.queuewarn.normal', `confTO_QUEUEWARN_NORMAL', `ask', `4h', `The same for precedence 0.')dnl
_option_(`Timeout.queuewarn.urgent', `confTO_QUEUEWARN_URGENT', `ask', `1h', `The same for higher precedence.')dnl
_option_(`Timeout.quit', `confTO_QUIT', `ask', `2m', `Reply to QUIT.')dnl
_option_(`Timeout.rcpt', `confTO_RCPT', `ask', `1h', `Reply to RCPT.')dnl
_option_(`Timeout.resolver.retrans', `confTO_RESOLVER_RETRANS', `ask', `5s', `Time between questions to a name server.')dnl
_option_(`Timeout.resolver.retrans.first', `confTO_RESOLVER_RETRANS_FIRST', `ask', `5s', `The same at the first try of a message.')dnl
_option_(`Timeout.resolver.retrans.normal', `confTO_RESOLVER_RETRANS_NORMAL', `ask', `5s', `The same at later tries.')dnl
_option_(`Timeout.resolver.retry', `confTO_RESOLVER_RETRY', `ask', `4', `Number of questions to a name server.')dnl
_option_(`Timeout.resolver.retry.first', `confTO_RESOLVER_RETRY_FIRST', `ask', `4', `The same at the first try of a message.')dnl
_option_(`Timeout.resolver.retry.normal', `confTO_RESOLVER_RETRY_NORMAL', `ask', `4', `The same at later tries.')dnl
_option_(`Timeout.rset', `confTO_RSET', `ask', `5m', `Reply to RSET.')dnl
_option_(`Timeout.starttls', `confTO_STARTTLS', `ask', `1h', `STARTTLS reply and handshake, also server side wait.')dnl
