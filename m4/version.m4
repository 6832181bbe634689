divert(-1)
# _CF_VERSION_ goes into macro Z, which stands in Received: lines and greetings; _LIB_VERSION_ is that of these files.
define(`_CF_VERSION_', `8.17.1.9')
define(`_LIB_VERSION_', `0.1.0')
divert(0)dnl
