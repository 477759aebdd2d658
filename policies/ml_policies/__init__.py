"""What every stack must fulfil, one file a policy, by what it is about.

`engine` is what runs them (and knows nothing of any), `shapes` what several of them look at: pods, quantities, node
pools. Nothing here imports the platform: a pack judges what is declared, whoever declares it.
"""
