"""What the numbers may cost to import."""

import subprocess
import sys


def test_the_numbers_need_numpy_alone():
    code = (
        "import sys; from llmkit.stats import difference, paired, passk, power, precision, summary, thresholds; "
        "print(sorted({m.split('.')[0] for m in sys.modules} & {'scipy', 'pandas', 'rich', 'pydantic', 'numpy'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['numpy']"
