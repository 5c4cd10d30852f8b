"""The recent-actions system as an SST app: from nothing at all to removal, one step a test, in order."""

from conftest import behaves, nothing_is_left, status

TOOL = "sst"
STACKS = ["dev-deposit", "dev-withdrawal", "dev-recent-actions"]


def test_deploy(app, cloud):
    said = app.sst("deploy")
    assert "StateMachineArn: arn:aws:states:" in said, said
    assert "ExecutionsTable: executions" in said, said
    for stack in ["CDKToolkit", "SSTBootstrap", *STACKS]:
        assert status(cloud, stack) == "CREATE_COMPLETE"


def test_deploying_again_changes_nothing(app, cloud):
    app.sst("deploy")
    assert [status(cloud, stack) for stack in STACKS] == ["CREATE_COMPLETE"] * len(STACKS)


def test_the_system_does_what_the_plain_templates_do(app):
    behaves(app)


def test_remove(app, cloud):
    assert "Removed" in app.sst("remove")
    nothing_is_left(cloud, STACKS)
