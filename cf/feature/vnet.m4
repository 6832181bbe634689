divert(-1)
# pseudo domains of the IBM network
_on_(`vnet')
PUSHDIVERT(_D_CLASS_)dnl
CAvnet vnet.ibm.com rscs ipnet
POPDIVERT
