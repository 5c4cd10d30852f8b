"""`buswork dev` on an app whose function is a copied directory: what is edited is what the next invocation runs."""

import json
import os
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
import zipfile
from io import BytesIO

import pytest

from conftest import ACCOUNT, BINARY, KEY, REGION, ROOT, SECRET

sys.path.append(str(ROOT / "tests-clients" / "python"))

from dev import Dev  # noqa: E402

SOURCE = "import os\n\ndef handler(event, context):\n    return {'says': '%s', 'stage': os.environ['STAGE']}\n"
FUNCTION = "shop-hello"
EXAMPLE = ROOT / "examples" / "recent-actions" / "functions-ts"
ESBUILD = EXAMPLE / "node_modules" / ".bin" / "esbuild"


def packed(source):
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("index.py", source)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def app(server, tmp_path_factory):
    """An app with a cloud assembly as CDK leaves it, deployed."""
    directory = tmp_path_factory.mktemp("app")
    code, out = directory / "hello", directory / "cdk.out"
    asset = out / "asset.0"
    code.mkdir()
    asset.mkdir(parents=True)
    for place in (code, asset):
        (place / "index.py").write_text(SOURCE % "one")
    bucket = server.client("s3", s3={"addressing_style": "path"})
    bucket.create_bucket(Bucket="assets", CreateBucketConfiguration={"LocationConstraint": REGION})
    bucket.put_object(Bucket="assets", Key="0.zip", Body=packed(SOURCE % "one"))
    template = {
        "Resources": {
            "Hello": {
                "Type": "AWS::Lambda::Function",
                "Metadata": {"aws:asset:path": "asset.0", "aws:asset:property": "Code"},
                "Properties": {
                    "FunctionName": FUNCTION,
                    "Runtime": "python3.12",
                    "Handler": "index.handler",
                    "Role": f"arn:aws:iam::{ACCOUNT}:role/any",
                    "Code": {"S3Bucket": "assets", "S3Key": "0.zip"},
                    "Environment": {"Variables": {"STAGE": "dev"}},
                },
            }
        }
    }
    (out / "shop.template.json").write_text(json.dumps(template))
    stack = {
        "type": "aws:cloudformation:stack",
        "environment": f"aws://{ACCOUNT}/{REGION}",
        "properties": {"templateFile": "shop.template.json"},
    }
    (out / "manifest.json").write_text(json.dumps({"version": "36.0.0", "artifacts": {"shop": stack}}))
    cloud = server.client("cloudformation")
    cloud.create_stack(StackName="shop", TemplateBody=json.dumps(template))
    cloud.get_waiter("stack_create_complete").wait(StackName="shop", WaiterConfig={"Delay": 0.1, "MaxAttempts": 300})
    return directory


def dev_of(server, directory):
    environment = {
        "PATH": os.environ["PATH"],
        "AWS_ENDPOINT_URL": server.address,
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET,
    }
    return Dev(BINARY, directory, environment)


@pytest.fixture(scope="module")
def dev(server, app):
    dev = dev_of(server, app)
    yield dev
    assert dev.stop() == 0


def says(server):
    answer = server.client("lambda").invoke(FunctionName=FUNCTION, Payload=b"{}")
    return json.load(answer["Payload"])


def test_an_edited_handler_is_swapped_in_and_keeps_its_environment(server, app, dev):
    assert says(server) == {"says": "one", "stage": "dev"}
    dev.until(r"hello\n")
    dev.until(r"following 1 function\n")
    times = []
    for text in ("two", "three", "four"):
        (app / "hello" / "index.py").write_text(SOURCE % text)
        times.append(int(dev.until(rf"{FUNCTION}: swapped in (\d+) ms \(index.py\)\n")[1]))
        assert says(server) == {"says": text, "stage": "dev"}
    print(f"swapped in {times} ms")
    assert max(times) < 1_000


def test_a_new_file_is_part_of_the_package_and_the_log_is_followed(server, app, dev):
    (app / "hello" / "words.py").write_text("WORD = 'five'\n")
    dev.until(r"swapped in \d+ ms \(words.py\)\n")
    (app / "hello" / "index.py").write_text(
        "import words\n\ndef handler(event, context):\n    print('it says', words.WORD)\n    return words.WORD\n"
    )
    dev.until(r"swapped in \d+ ms \(index.py\)\n")
    assert says(server) == "five"
    dev.until(rf"{FUNCTION} \| it says five\n")


def test_what_was_swapped_in_is_what_is_downloaded(server, app):
    """The location needs no signature, in the strict profile either."""
    location = server.client("lambda").get_function(FunctionName=FUNCTION)["Code"]["Location"]
    with urllib.request.urlopen(location, timeout=10) as answer:
        archive = zipfile.ZipFile(BytesIO(answer.read()))
    assert archive.read("words.py").decode() == (app / "hello" / "words.py").read_text()
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"{location[:-1]}{'0' if location[-1] != '0' else '1'}", timeout=10)
    assert refused.value.code == 403


def test_without_an_app_it_says_what_is_missing(server, tmp_path):
    done = server.command("dev", str(tmp_path))
    assert done.returncode == 1
    assert "has no cloud assembly" in done.stderr, done.stderr


@pytest.fixture(scope="module")
def typescript(server, tmp_path_factory):
    """An app beside its functions in TypeScript, whose assembly has the bundle that CDK's NodejsFunction makes."""
    top = tmp_path_factory.mktemp("typescript")
    functions, out = top / "functions-ts", top / "cdk" / "cdk.out"
    shutil.copytree(EXAMPLE / "src", functions / "src")
    shutil.copy(EXAMPLE / "package.json", functions)
    (functions / "node_modules").symlink_to(EXAMPLE / "node_modules")
    asset = out / "asset.1"
    flags = ["--bundle", "--target=node22", "--platform=node", "--external:@aws-sdk/*", "--external:@smithy/*"]
    command = [ESBUILD, "src/deposit.ts", f"--outfile={asset / 'index.js'}", "--log-level=error", *flags]
    subprocess.run(command, cwd=functions, check=True, timeout=60)
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.write(asset / "index.js", "index.js")
    code = {"FunctionName": "shop-deposit", "Runtime": "nodejs22.x", "Handler": "index.handler"}
    properties = code | {"Role": f"arn:aws:iam::{ACCOUNT}:role/any", "Code": {"S3Bucket": "assets", "S3Key": "1.zip"}}
    server.client("s3", s3={"addressing_style": "path"}).put_object(Bucket="assets", Key="1.zip", Body=buffer.getvalue())
    function = {"Type": "AWS::Lambda::Function", "Metadata": {"aws:asset:path": "asset.1"}, "Properties": properties}
    template = json.dumps({"Resources": {"Deposit": function}})
    (out / "t.json").write_text(template)
    place = {"type": "aws:cloudformation:stack", "environment": f"aws://{ACCOUNT}/{REGION}"}
    stack = place | {"properties": {"templateFile": "t.json", "stackName": "typescript"}}
    (out / "manifest.json").write_text(json.dumps({"artifacts": {"a": stack}}))
    cloud = server.client("cloudformation")
    cloud.create_stack(StackName="typescript", TemplateBody=template)
    cloud.get_waiter("stack_create_complete").wait(StackName="typescript", WaiterConfig={"Delay": 0.1, "MaxAttempts": 300})
    return top


@pytest.mark.skipif(not ESBUILD.exists(), reason="the example's packages are not installed: scripts/setup-node.sh")
def test_a_bundle_is_made_anew_and_a_broken_one_is_told(server, app, typescript):
    dev = dev_of(server, typescript / "cdk")
    try:
        # The bundle that it makes first is the deployed one, or the line would say so.
        dev.until(r"shop-deposit  \S+/functions-ts/src/deposit.ts\nfollowing 1 function\n")
        trading = typescript / "functions-ts" / "src" / "trading.ts"
        text = trading.read_text()
        trading.write_text(text + "\nexport const broken = ;\n")
        dev.until(r"shop-deposit: not swapped \(trading.ts\): [\s\S]*Unexpected \";\"")
        trading.write_text(text.replace("ticketNumber: randomUUID()", 'ticketNumber: randomUUID(), desk: "new"'))
        took = int(dev.until(r"shop-deposit: swapped in (\d+) ms \(trading.ts\)\n")[1])
        print(f"a bundle swapped in {took} ms")
        answer = server.client("lambda").invoke(FunctionName="shop-deposit", Payload=b'{"amount": 1}')
        assert json.load(answer["Payload"])["desk"] == "new"
        assert took < 2_000
    finally:
        assert dev.stop() == 0
