"""The two tests that each chapter's checks have to pass."""
import inspect

import pytest

from deepfm_tutorial import exercises


def run(name, answer):
    """Give the check its answer, or both of them where it takes two."""
    check = getattr(exercises, f"check_{name}")
    two = len(inspect.signature(check).parameters) == 2
    return check(*answer) if two else check(answer)


def right_and_wrong(cases):
    """Return the two tests of cases: name → (right answers, wrong ones with hints)."""
    right = [pytest.param(name, answer, id=f"{name}-{i}")
             for name, (answers, _) in cases.items()
             for i, answer in enumerate(answers)]
    wrong = [pytest.param(name, answer, hint, id=f"{name}-{hint}")
             for name, (_, mistakes) in cases.items() for answer, hint in mistakes]

    @pytest.mark.parametrize("name, answer", right)
    def a_right_answer_passes(name, answer, capsys):
        run(name, answer)
        printed = capsys.readouterr().out
        assert printed == "Right.\n", printed

    @pytest.mark.parametrize("name, answer, hint", wrong)
    def a_mistake_gets_its_hint(name, answer, hint, capsys):
        with pytest.raises(AssertionError, match=hint):
            run(name, answer)
        printed = capsys.readouterr().out
        assert printed == "", printed

    return a_right_answer_passes, a_mistake_gets_its_hint
