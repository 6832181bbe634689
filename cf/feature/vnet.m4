divert(-1)
# pseudo domains of the IBM network; macro A is the host that knows its nodes
_on_(`vnet')
PUSHDIVERT(_D_CLASS_)dnl
CAvnet vnet.ibm.com rscs ipnet
POPDIVERT
PUSHDIVERT(_D_BMX_)dnl

# _FROM_(`FEATURE', `vnet'): the company's own hosts, and nodes
R$* <@ $+ .ibm.com. > $*	$: $1 <@ $2 .ibm.com > $3
R$* <@ $+ .ibm.com > $*		$# relay $@ $2 .ibm.com $: $1 <@ $2 .ibm.com > $3
R$* <@ $- .vnet. > $*		$# relay $@ $A $: $1 <@ $2 .VNET. > $3
POPDIVERT
