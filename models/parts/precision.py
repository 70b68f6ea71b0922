"""A decoder in fewer bits: what each number of its weights is kept in, and reckoned with.

Of the linear layers alone, which hold nearly all weights; the table of words stays as it is. Eight
bits by torch's dynamic quantisation (weights by column once, activations as they come); four bits
in groups of 32 weights that share a scale and a middle, by the kernel that torch has for CPUs, on
bfloat16 activations.
"""

import warnings
from typing import Literal

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

Precision = Literal["float32", "bfloat16", "int8", "int4"]
GROUP = 32  # weights that share a scale
KEPT_IN = {"float32": torch.float32, "int8": torch.float32}  # the others: bfloat16


def check(precision: str, device: str) -> None:
    """Raises LookupError where this machine has no path for it."""
    if precision in ("int8", "int4") and device != "cpu":
        raise LookupError(
            f"precision={precision} has a path on the CPU alone here, not on {device}"
        )


def dtype_of(precision: str) -> torch.dtype:
    return KEPT_IN.get(precision, torch.bfloat16)


def reduce(model: PreTrainedModel, precision: str) -> None:
    """Put layers of this precision in the place of the decoder's own, but for its last one."""
    layers = {
        name: layer
        for name, layer in model.base_model.named_modules()
        if isinstance(layer, nn.Linear)
    }
    for name, layer in layers.items():
        if precision == "int8":
            with warnings.catch_warnings():  # it moves to another package one day
                warnings.simplefilter("ignore")
                kinds = {nn.Linear}
                made = torch.ao.quantization.quantize_dynamic(
                    nn.Sequential(layer), kinds, dtype=torch.qint8
                )[0]
        elif precision == "int4" and layer.in_features % GROUP == 0:
            made = FourBits(layer)
        else:
            continue
        model.base_model.set_submodule(name, made)


class FourBits(nn.Module):
    """A linear layer whose weights are one of sixteen values, from the least to the largest of
    their group."""

    def __init__(self, layer: nn.Linear) -> None:
        super().__init__()
        groups = layer.weight.detach().float().unflatten(1, (-1, GROUP))
        low, high = groups.amin(-1), groups.amax(-1)
        scale = ((high - low) / 15).clamp(min=1e-8)
        codes = ((groups - low[..., None]) / scale[..., None]).round().clamp(0, 15)
        packed = torch.ops.aten._convert_weight_to_int4pack_for_cpu(codes.flatten(1).int(), 1)
        self.register_buffer("packed", packed)
        # The kernel counts codes from their middle, 8.
        how = torch.stack([scale.T, (low + 8 * scale).T], -1)
        self.register_buffer("scales", how.bfloat16().contiguous())
        self.bias = None if layer.bias is None else nn.Parameter(layer.bias.bfloat16(), False)
        self.out_features = layer.out_features

    def forward(self, x: Tensor) -> Tensor:
        found = torch.ops.aten._weight_int4pack_mm_for_cpu(
            x.flatten(0, -2), self.packed, GROUP, self.scales
        ).unflatten(0, x.shape[:-1])
        return found if self.bias is None else found + self.bias
