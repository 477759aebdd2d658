"""What a stack may cost."""

from collections.abc import Iterator, Mapping

from ml_policies.engine.policy import Parameters, StackPolicy
from ml_policies.engine.stack import Stack
from ml_policies.shapes import costs
from ml_policies.shapes.prices import by_use, written


class Budget(Parameters):
    stack: float = 10000
    """What the whole stack may cost a month, in the currency of prices.toml."""
    teams: Mapping[str, float] = {}
    """What the namespaces of each team may cost a month."""
    label: str = "ml-platform/team"
    """The label of namespaces and objects that names their team."""


def check(_: None, stack: Stack, parameters: Budget) -> Iterator[str]:
    cost = costs.stack(stack)
    if cost > parameters.stack:
        yield (
            f"the stack may cost {written(cost)} a month, more than its budget of {written(parameters.stack)}: lower "
            "the maximum of node pools and replicas, or raise the budget of this environment"
        )
    of_teams = costs.teams(stack, parameters.label)
    for team, budget in parameters.teams.items():
        if of_teams.get(team, 0) > budget:
            yield (
                f"the work of team {team} may cost {written(of_teams[team])} a month, more than its budget of "
                f"{written(budget)}: lower what it asks for, or raise the budget of the team"
            )
    for each in stack:
        costs.of(each, stack)  # what is not known yet is not part of the sums


def says(stack: Stack, parameters: Budget) -> Iterator[str]:
    yield f"at most {written(costs.stack(stack))} a month, of a budget of {written(parameters.stack)}"
    if any(by_use(each.type) for each in stack):
        yield "besides, by use: what buckets, registries and logs hold, and traffic"
    for team, cost in sorted(costs.teams(stack, parameters.label).items()):
        yield f"of it for {team}: {written(cost)}, if its runs never ended"


POLICY = StackPolicy(
    name="monthly-cost",
    asks="A stack stays within its monthly budget, and each team within its own.",
    why="The bill comes weeks later; the preview knows the most that it can be.",
    parameters=Budget,
    subjects=lambda _: (None,),
    check=check,
    says=says,
    example="""
type: aws:eks/nodeGroup:NodeGroup
name: ml-platform-gpu
props: {instanceTypes: [g5.xlarge], scalingConfig: {minSize: 1, maxSize: 15}}
""",
)
