"""The training steps of `benches/steps.rs` in PyTorch, by the same names: eager, float32, on the CPU.

    python steps.py NAME [SECONDS]        OMP_NUM_THREADS=1 takes one thread
    python steps.py NAME flops            the floating point operations of a step, forward and backward

With DEVICE=cuda on a card; the time of the first step stands beside the median.
"""

import copy
import os
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", os.cpu_count())))
torch.manual_seed(1)
DEVICE = os.environ.get("DEVICE", "cpu")
torch.set_default_device(DEVICE)


def convolution(inputs, outputs, group):
    """A full 3x3 convolution (group 0), or 3x3 in groups of so many channels and 1x1 behind it."""
    if group == 0:
        return [nn.Conv2d(inputs, outputs, 3, padding=1)]
    width = inputs if inputs == 3 and group > 1 else min(inputs, group)
    return [nn.Conv2d(inputs, inputs, 3, padding=1, groups=inputs // width), nn.Conv2d(inputs, outputs, 1)]


class UNet(nn.Module):
    """The article's U-nets: five levels, the lowest as wide as the one above it, bilinear upsampling."""

    def __init__(self, first, second, base=16):
        super().__init__()
        widths = [base, 2 * base, 4 * base, 8 * base, 8 * base]

        def block(inputs, middle, outputs):
            return nn.Sequential(
                *convolution(inputs, middle, first), nn.BatchNorm2d(middle), nn.ReLU(inplace=True),
                *convolution(middle, outputs, second), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True),
            )

        self.down = nn.ModuleList(block(i, o, o) for i, o in zip([3, *widths], widths))
        self.up = nn.ModuleList(
            block(2 * widths[level], widths[level], widths[max(level - 1, 0)]) for level in (3, 2, 1, 0)
        )
        self.head = nn.Conv2d(base, 1, 1)

    def forward(self, x):
        kept = []
        for level, block in enumerate(self.down):
            x = block(F.max_pool2d(x, 2) if level else x)
            kept.append(x)
        x = F.dropout(kept.pop(), 0.5, self.training)
        for block in self.up:
            x = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=True)
            x = block(torch.cat([kept.pop(), x], 1))
        return self.head(x)


class Block(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.one = nn.Sequential(nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs))
        self.two = nn.Sequential(nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False), nn.BatchNorm2d(outputs))
        self.beside = nn.Sequential()
        if stride > 1 or inputs != outputs:
            self.beside = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x):
        return F.relu(self.two(F.relu(self.one(x))) + self.beside(x))


def resnet18():
    layers, inputs = [nn.Conv2d(3, 64, 3, 1, 1, bias=False), nn.BatchNorm2d(64), nn.ReLU()], 64
    for outputs, stride in ((64, 1), (128, 2), (256, 2), (512, 2)):
        layers += [Block(inputs, outputs, stride), Block(outputs, outputs, 1)]
        inputs = outputs
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten())


def small_encoder():
    layers = []
    for inputs, outputs, stride in ((1, 16, 2), (16, 32, 2), (32, 64, 1)):
        layers += [nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten())


def head(inputs, hidden, outputs):
    return nn.Sequential(
        nn.Linear(inputs, hidden), nn.BatchNorm1d(hidden, affine=False), nn.ReLU(), nn.Linear(hidden, outputs, bias=False)
    )


def dice(p, t):
    p, t = p.flatten(1), t.flatten(1)
    return 1 - (2 * (p * t).sum(1) / (p.sum(1) + t.sum(1))).mean()


def adam(module, loss):
    optimizer = torch.optim.Adam(module.parameters(), 1e-4, weight_decay=1e-4)

    def step():
        value = loss()
        optimizer.zero_grad()
        value.backward()
        optimizer.step()

    return step


def segmentation(first, second, base=16, side=128, batch=2):
    net = UNet(first, second, base)
    x, truth = torch.rand(batch, 3, side, side), (torch.rand(batch, 1, side, side) > 0.8).float()
    return adam(net, lambda: dice(torch.sigmoid(net(x)), truth))


class Byol:
    """BYOL by SGD with a moving average and F, the uncentred correlation of what the projector gives."""

    def __init__(self, encoder, features, hidden, d, two_layers):
        self.online = nn.Sequential(encoder, head(features, hidden, d))
        self.target = copy.deepcopy(self.online)
        self.predictor = head(d, hidden, d) if two_layers else nn.Linear(d, d, bias=False)
        both = [*self.online.parameters(), *self.predictor.parameters()]
        self.optimizer = torch.optim.SGD(both, 0.15, momentum=0.9, weight_decay=0.005)
        self.F = torch.zeros(d, d)

    def step(self, views):
        """An update with two views of some pictures; returns the loss."""
        with torch.no_grad():
            targets = [self.target(view) for view in views]
        z = [self.online(view) for view in views]
        loss = -sum(F.cosine_similarity(self.predictor(z[i]), targets[1 - i]).mean() for i in (0, 1))
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        with torch.no_grad():
            for old, new in zip(self.target.parameters(), self.online.parameters()):
                old.mul_(0.95).add_(new, alpha=0.05)
            rows = torch.cat(z)
            self.F.mul_(0.3).add_(rows.T @ rows / len(rows), alpha=0.7)
        return loss


def byol(encoder, features, hidden, d, two_layers, x):
    net = Byol(encoder, features, hidden, d, two_layers)
    return lambda: net.step(x)


def rebuilt_and_told(encoder, decoder, classifier):
    """Pictures of 64x64 in batches of 12, rebuilt and told apart."""
    net = nn.ModuleList([encoder, decoder, classifier])
    x, y = torch.rand(12, 3, 64, 64), (torch.arange(12) % 4 > 0).float()

    def loss():
        code = encoder(x)
        told = F.binary_cross_entropy_with_logits(classifier(code).squeeze(1), y)
        return F.mse_loss(decoder(code), x) + 0.3 * told

    return adam(net, loss)


def autoencoder():
    layers, inputs = [], 3
    for outputs in (16, 32, 48, 64, 96):
        layers += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.BatchNorm2d(outputs)]
        inputs = outputs
    encoder, layers = nn.Sequential(*layers), []
    for outputs in (64, 48, 32, 16, 3):
        layers += [nn.ConvTranspose2d(inputs, outputs, 4, 2, 1)]
        layers += [nn.ReLU(), nn.BatchNorm2d(outputs)] if outputs > 3 else [nn.Sigmoid()]
        inputs = outputs
    decoder = nn.Sequential(*layers)
    classifier = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(96, 4), nn.ReLU(), nn.Linear(4, 1))
    return rebuilt_and_told(encoder, decoder, classifier)


class ImageEncoder(nn.Module):
    def __init__(self, d=48):
        super().__init__()
        layers = []
        for inputs, outputs, stride in ((1, 12, 2), (12, 24, 2), (24, 48, 2), (48, 48, 1)):
            layers += [nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()]
        self.maps, self.local, self.globe = nn.Sequential(*layers), nn.Conv2d(50, d, 1), nn.Linear(2 * d, d)

    def forward(self, x):
        maps = self.maps(x)
        line = torch.linspace(-1, 1, maps.shape[-1])
        places = torch.stack(torch.meshgrid(line, line, indexing="ij"))[None].expand(len(x), -1, -1, -1)
        local = self.local(torch.cat([maps, places], 1)).flatten(2)
        return F.normalize(self.globe(torch.cat([local.mean(2), local.amax(2)], 1)))


def image_encoder():
    net, x = ImageEncoder(), torch.rand(32, 1, 64, 64)
    return adam(net, lambda: net(x).square().mean())


def aeres18():
    encoder = resnet18()
    layers, inputs = [nn.Unflatten(1, (512, 1, 1))], 512
    for outputs in (256, 128, 64, 32, 16, 3):
        layers += [nn.ConvTranspose2d(inputs, outputs, 4, 2, 1)]
        layers += [nn.ReLU(), nn.BatchNorm2d(outputs)] if outputs > 3 else [nn.Sigmoid()]
        inputs = outputs
    decoder = nn.Sequential(*layers)
    classifier = nn.Sequential(nn.Linear(512, 4), nn.ReLU(), nn.Linear(4, 1))
    return rebuilt_and_told(encoder, decoder, classifier)


class TextEncoder(nn.Module):
    def __init__(self, vocabulary=600, width=48, heads=4, units=128, d=48):
        super().__init__()
        self.pieces, self.places = nn.Embedding(vocabulary, width), nn.Embedding(64, width)
        self.order = nn.Linear(3 * width, width)
        self.layer = nn.TransformerEncoderLayer(
            width, heads, units, dropout=0, activation="gelu", batch_first=True, norm_first=True
        )
        self.globe, self.words = nn.Linear(width, d), nn.Linear(width, d)

    def forward(self, ids, average):
        x = self.pieces(ids) + self.places.weight[: ids.shape[1]]
        beside = torch.cat([F.pad(x, (0, 0, 1, 0))[:, :-1], x, F.pad(x, (0, 0, 0, 1))[:, 1:]], 2)
        x = self.layer(x + F.gelu(self.order(beside)))
        return F.normalize(self.globe(x.mean(1))), self.words(average @ x)


def text_encoder():
    net, ids = TextEncoder(), torch.arange(32 * 40).reshape(32, 40) * 37 % 590 + 4
    average = torch.zeros(32, 30, 40)
    for piece in range(40):
        average[:, piece * 30 // 40, piece] = 1
    average /= average.sum(2, keepdim=True)
    return adam(net, lambda: sum(vectors.square().mean() for vectors in net(ids, average)))


def mlp():
    nets = [
        nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, 16), nn.Tanh(), nn.Linear(16, 2)) for _ in range(7)
    ]
    optimizers = [torch.optim.SGD(net.parameters(), 0.1) for net in nets]
    x, y = torch.rand(64, 2), torch.randint(2, (64,))

    def step():
        for net, optimizer in zip(nets, optimizers):
            loss = F.cross_entropy(net(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

    return step


def views(batch, channels, side):
    return [torch.rand(batch, channels, side, side) for _ in range(2)]


def product():
    a, b = torch.rand(1024, 1024), torch.rand(1024, 1024)
    return lambda: a @ b


def launch():
    def step():
        x = torch.rand(4)
        for _ in range(1000):
            x = x + 1.0
        return x.tolist()

    return step


NETWORKS = {
    "unet-16-128": lambda: segmentation(0, 0),
    "light-16-128": lambda: segmentation(0, 1),
    "lighter16-16-128": lambda: segmentation(16, 16),
    "lighter1-16-128": lambda: segmentation(1, 1),
    "unet-64-256": lambda: segmentation(0, 0, base=64, side=256, batch=1),
    "byol-small-128": lambda: byol(small_encoder(), 64, 128, 64, False, views(128, 1, 16)),
    "byol-resnet18-8": lambda: byol(resnet18(), 512, 512, 128, True, views(8, 3, 32)),
    "byol-resnet18-32": lambda: byol(resnet18(), 512, 512, 128, True, views(32, 3, 32)),
    "autoencoder-demo-12": autoencoder,
    "aeres18-64-12": aeres18,
    "image-encoder-32": image_encoder,
    "text-encoder-32": text_encoder,
    "mlp-7x64": mlp,
    "peak": product,
    "launch": launch,
}

if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in NETWORKS:
        sys.exit("\n".join(NETWORKS))
    step = NETWORKS[sys.argv[1]]()
    if sys.argv[2:] == ["flops"]:
        with FlopCounterMode(display=False) as counter:
            step()
        sys.exit(print(f"{sys.argv[1]} {counter.get_total_flops()}"))
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 5.0

    def timed():
        start = time.perf_counter()
        step()
        if DEVICE != "cpu":
            torch.cuda.synchronize()
        return 1e3 * (time.perf_counter() - start)

    first, _ = timed(), timed()
    times, began = [], time.perf_counter()
    while time.perf_counter() - began < seconds or len(times) < 3:
        times.append(timed())
    print(f"{sys.argv[1]} {sorted(times)[len(times) // 2]:.3f} ms, the first step {first:.1f} ms")
