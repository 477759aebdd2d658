"""What the API server refuses of whatever is made in namespaces of workloads, in CEL and in the words of the policies.

Each module owns rules of one kind; the policy pack, which judges what a program declares, owns what they mean. The
tests ask both of the same objects.
"""
