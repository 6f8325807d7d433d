"""The code that a kiosk draws is one that every reader of ISO/IEC 18004 reads."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import Any

import pytest

from tests.cli.support import ROOT

SOURCE = ROOT / "web" / "src" / "kiosk" / "qr.ts"
TYPESCRIPT = ROOT / "web" / "node_modules" / "typescript" / "lib" / "typescript.js"
CODE = "RES-2026-7K3M9P"
SCRIPT = """
import { readFileSync } from "node:fs";
const [typescript, source, code] = process.argv.slice(1);
const { default: ts } = await import(`file://${typescript}`);
const options = { compilerOptions: { module: "esnext", target: "es2022" } };
const text = ts.transpileModule(readFileSync(source, "utf8"), options).outputText;
const qr = await import(`data:text/javascript;base64,${Buffer.from(text).toString("base64")}`);
const drawn = (mask) => qr.modulesOf(code, mask).map((row) => row.map(Number).join(""));
let long = "";
try { qr.modulesOf("x".repeat(27)); } catch (error) { long = error.message; }
const hello = [32, 91, 11, 120, 209, 114, 220, 77, 67, 64, 236, 17, 236, 17, 236, 17];
console.log(JSON.stringify({
  checks: qr.checks(hello, 10),
  formats: [0, 1, 2, 3, 4, 5, 6, 7].map((mask) => qr.formatOf(mask).toString(2).padStart(15, "0")),
  masks: [0, 1, 2, 3, 4, 5, 6, 7].map(drawn),
  best: drawn(undefined),
  long,
}));
"""

# Version 2-M, bytes, mask 3, as another encoder draws it.
DRAWN = """
1111111010000111001111111
1000001010010100101000001
1011101001100000101011101
1011101010110011001011101
1011101001100010101011101
1000001000010101101000001
1111111010101010101111111
0000000011010001100000000
1011011100101101101001011
1111010110111111010001011
1100001101110100000111100
0001100101111000111010110
0011101011111011111011111
0101100010111010110011110
0100101001010100001111110
1011000001010011010101000
0011001101001011111111110
0000000011100011100010110
1111111011000110101011111
1000001010110110100010001
1011101001100110111111011
1011101010100000001111001
1011101010100011101010010
1000001001111110100110100
1111111010010000010000111
"""


@pytest.fixture(scope="module")
def told() -> Any:
    """What the page's own module says, run by Node.js."""
    node = shutil.which("node")
    if node is None or not TYPESCRIPT.is_file():
        pytest.skip("no Node.js with the pages' packages here: `make web`")
    words = [node, "--input-type=module", "-e", SCRIPT, str(TYPESCRIPT), str(SOURCE), CODE]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_check_symbols_are_those_of_the_standards_example(told: Any):
    """`HELLO WORLD` at 1-M, which is the usual example of the calculation."""
    assert told["checks"] == [196, 35, 39, 119, 235, 215, 231, 226, 93, 23]


def test_the_format_of_each_mask_is_that_of_the_standards_table(told: Any):
    assert told["formats"] == [
        "101010000010010", "101000100100101", "101111001111100", "101101101001011",
        "100010111111001", "100000011001110", "100111110010111", "100101010100000",
    ]  # fmt: skip


def test_the_picture_is_the_one_that_another_encoder_draws(told: Any):
    assert told["masks"][3] == DRAWN.split()
    assert told["best"] in told["masks"]


def test_what_does_not_fit_is_refused(told: Any):
    assert told["long"] == "27 bytes do not fit into a code of 26"
