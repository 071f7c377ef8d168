SELECT i.deployment FROM ops.identity AS i
