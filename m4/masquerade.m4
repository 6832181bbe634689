
#####
##### Ruleset 93, MasqHdr: the name that the world sees, for headers
#####

SMasqHdr=93
ifdef(`_F_genericstable_', `
# _FROM_(`FEATURE', `genericstable')
# < address asked for > what was found, or @, in front of the address; %1 user, %2 detail
R$+ <@ *LOCAL* >		$: < $1 @ $j > $1 <@ *LOCAL* > @
R$+ <@ ifdef(`_F_generics_entire_domain_', `$* $=G . >		$: < $1 @ $2 $3 > $1 <@ $2 $3 . > @', `$=G . >			$: < $1 @ $2 > $1 <@ $2 . > @')
')dnl

# users that stay visible
R$=E <@ *LOCAL* >		$@ $1 <@ $j . >
ifdef(`_F_masquerade_entire_domain_', `R$=E <@ $* $=M . >		$@ $1 <@ $2 $3 . >', `R$=E <@ $=M . >			$@ $1 <@ $2 . >')
ifdef(`_F_limited_masquerade_', `', `R$=E <@ $=w . >			$@ $1 <@ $2 . >
')dnl

# hosts that stay visible
R$* <@ $* $=N . > $*		$@ $1 <@ $2 $3 . > $4

# <=> and the name to put on; nothing behind it when no name was given
R$*				$: $1 <=> $M
ifdef(`_F_masquerade_entire_domain_', `R$* <@ $* $=M . > $* <=> $+	$: $1 <@ *LOCAL* > $4 <=> $5', `R$* <@ $=M . > $* <=> $+	$: $1 <@ *LOCAL* > $3 <=> $4')
ifdef(`_F_limited_masquerade_', `', `R$* <@ $=w . > $* <=> $+	$: $1 <@ *LOCAL* > $3 <=> $4
')dnl
R$* <@ *LOCAL* > $* <=> $+	$@ $1 <@ $3 . > $2
R$* <@ *LOCAL* > $* <=>		$@ $1 <@ $j . > $2
R$* <=> $*			$: $1

#####
##### Ruleset 94, MasqEnv: the same for envelopes
#####

SMasqEnv=94
ifdef(`_F_masquerade_envelope_', `# _FROM_(`FEATURE', `masquerade_envelope')
R$*				$@ $>MasqHdr $1', `R$* <@ *LOCAL* > $*		$: $1 <@ $j . > $2')
