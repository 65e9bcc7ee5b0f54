"""Writes resnet18_imagenet.json.gz: torchvision's ResNet-18 without `fc` in f64, by PyTorch alone.

    python resnet18_imagenet.py

Weights, statistics and pixels are made by `formula`, as the test makes them, so that the file holds results alone.
"""

import gzip
import json
import math
from pathlib import Path

import numpy
import torch
from torch import nn


class BasicBlock(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x):
        y = self.bn2(self.conv2(self.bn1(self.conv1(x)).relu()))
        return (y + (self.downsample(x) if hasattr(self, "downsample") else x)).relu()


class ResNet18(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        inputs = 64
        for stage, outputs in enumerate([64, 128, 256, 512]):
            blocks = [BasicBlock(inputs, outputs, 1 if stage == 0 else 2), BasicBlock(outputs, outputs, 1)]
            setattr(self, f"layer{stage + 1}", nn.Sequential(*blocks))
            inputs = outputs

    def forward(self, x):
        x = self.maxpool(self.bn1(self.conv1(x)).relu())
        return self.layer4(self.layer3(self.layer2(self.layer1(x)))).mean((2, 3))


def formula(k, count):
    """`count` numbers in [-1, 1]."""
    h = (numpy.arange(count, dtype=numpy.uint64) * 2_654_435_761 + k * 40_503 + 12_345) & 0xFFFFFFFF
    h ^= h >> 15
    h = (h * 2_246_822_519) & 0xFFFFFFFF
    h ^= h >> 13
    return torch.from_numpy(h.astype(numpy.float64) / 4_294_967_296.0 * 2.0 - 1.0)


def fill(net):
    for k, (name, value) in enumerate(net.named_parameters()):
        u = formula(k, value.numel()).reshape(value.shape)
        if value.dim() == 4:
            u *= math.sqrt(6.0 / value[0].numel())
        else:
            u = 1.0 + 0.2 * u if name.endswith("weight") else 0.1 * u
        value.data = u.float().to(value.dtype)
    buffers = [(name, value) for name, value in net.named_buffers() if not name.endswith("num_batches_tracked")]
    for k, (name, value) in enumerate(buffers):
        u = formula(500 + k, value.numel())
        value.data = (1.0 + 0.2 * u if name.endswith("var") else 0.1 * u).float().to(value.dtype)


GRADIENTS = ["conv1.weight", "bn1.weight", "bn1.bias", "layer1.0.conv1.weight", "layer2.0.downsample.0.weight"]
GRADIENTS += ["layer4.1.bn2.bias"]


def results(n, side, pixels, dtype):
    net = ResNet18().to(dtype)
    fill(net)
    x = torch.stack([1.5 * formula(pixels + i, 3 * side * side).reshape(3, side, side) for i in range(n)])
    x = x.float().to(dtype)
    net.eval()
    with torch.no_grad():
        inferred = net(x)
    net.train()
    trained = net(x)
    # A loss that no normalisation makes constant.
    (trained * formula(2000, n * 512).reshape(n, 512).float().to(dtype)).sum().backward()
    gradients = {}
    for name, value in net.named_parameters():
        if name in GRADIENTS:
            g = value.grad.flatten()
            gradients[name] = {"norm": g.norm().item(), "first": g[:200].tolist()}
    return {
        "eval": inferred.flatten().tolist(),
        "train": trained.flatten().tolist(),
        "bn1_running_mean": net.bn1.running_mean.tolist(),
        "bn1_running_var": net.bn1.running_var.tolist(),
        "gradients": gradients,
    }


def rounded(value):
    if isinstance(value, dict):
        return {key: rounded(inner) for key, inner in value.items()}
    return [float(f"{number:.9g}") for number in value] if isinstance(value, list) else float(f"{value:.9g}")


def case(name, n, side, pixels):
    exact, single = (results(n, side, pixels, dtype) for dtype in [torch.float64, torch.float32])
    for key in ["eval", "train"]:
        far = max(abs(a - b) for a, b in zip(exact[key], single[key]))
        print(name, key, "largest", max(exact[key]), "f32 of f64", far)
    for key, g in exact["gradients"].items():
        far = max(abs(a - b) for a, b in zip(g["first"], single["gradients"][key]["first"]))
        print(name, key, "norm", g["norm"], "largest", max(map(abs, g["first"])), "f32 of f64", far)
    return {"name": name, "n": n, "side": side, "pixels": pixels, "expect": rounded(exact)}


if __name__ == "__main__":
    torch.set_num_threads(2)
    # Pixels by which no ReLU's input is so near 0 that f32 takes it for the other side.
    cases = [case("two pictures of 64", 2, 64, 1100), case("three pictures of an odd side", 3, 45, 1000)]
    meta = {"by": f"resnet18_imagenet.py, PyTorch {torch.__version__}, f64"}
    text = json.dumps({"_meta": meta, "j_resnet18_imagenet": cases})
    path = Path(__file__).with_name("resnet18_imagenet.json.gz")
    path.write_bytes(gzip.compress(text.encode(), mtime=0))
    print(path.stat().st_size, "bytes")
