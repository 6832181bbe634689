divert(-1)
# every host of class m may relay
_on_(`relay_entire_domain')
