"""The door: the eras of machine learning on a table, from a notebook or a script.

    from model_eras import compare
    result = compare(df, target="churned")

Loads nothing but the standard library until it is called, and no learning library ever: everything
is fitted in processes of its own. From a shell: `model-eras --help`.
"""

from model_eras.child import BadInput, CannotWrite
from model_eras.notebook import compare
from model_eras.result import Result

__all__ = ["BadInput", "CannotWrite", "Result", "compare"]
