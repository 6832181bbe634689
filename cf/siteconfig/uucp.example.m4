PUSHDIVERT(-1)
# Neighbours by UUCP of an imaginary host: `SITECONFIG(`uucp.example', `ourname', `U')' in an .mc.
# A SITE line names neighbours; with S as its second word they take several recipients at a time.
POPDIVERT`'dnl
SITE(`north south')
SITE(`west', S)
