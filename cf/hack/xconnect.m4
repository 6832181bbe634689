divert(-1)
# clients that XConnect: in the access map names may tell the name and address of their own client
_needs_(`xconnect', `access_db')
PUSHDIVERT(_D_SETS_)dnl

# client name $| address
Sx_connect
R$* $| $*		$: $1 $| $>A < $2 > <?> < ! XConnect > < >
R$* $| <?> < >		$: $>D < $1 > <?> < ! XConnect > < >
R$* $| < $+ > < >	$@ yes
R<?> < >		$# no
R< $+ > < >		$@ yes
POPDIVERT
