"""Whole runs in PyTorch, as a script by hand does them, beside `learnscope run LAB`: data, training and measuring, on the CPU.

    python runs.py self-supervised      700 steps of BYOL on generated shapes, with spectra, kNN and probe as often as the lab has them
    python runs.py segmentation         450 steps of the tiny U-net on generated images, judged after each epoch and at the end

Prints the seconds without the imports. The lab measures more: gradient norms, an embedding, ASSD, tables; and it records everything.
"""

import copy
import sys
import time

import numpy as np
import torch
from scipy import ndimage
from steps import Byol, UNet, small_encoder
from torch.nn import functional as F


def shapes(count, rng, side=16):
    """Pictures of discs, bars, rings and grids at random places, [count, 1, side, side], and their classes."""
    y, x = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j]
    images, classes = np.empty((count, 1, side, side), np.float32), rng.integers(0, 10, count)
    for image, kind in zip(images, classes):
        angle, (cx, cy), r = rng.uniform(-0.25, 0.25), rng.uniform(-0.25, 0.25, 2), rng.uniform(0.45, 0.8)
        u = ((x - cx) * np.cos(angle) + (y - cy) * np.sin(angle)) / r
        v = ((y - cy) * np.cos(angle) - (x - cx) * np.sin(angle)) / r
        far = np.hypot(u, v)
        box = (abs(u) < 1) & (abs(v) < 1)
        masks = (
            lambda: far < 0.9,
            lambda: box & (abs(u) < 0.8),
            lambda: (v < 0.8) & (v > 2 * abs(u) - 0.9),
            lambda: box & ((abs(u) < 0.28) | (abs(v) < 0.28)),
            lambda: (far < 0.95) & (far > 0.5),
            lambda: box & (np.floor(2.5 * (v + 1)) % 2 == 0),
            lambda: box & (np.floor(2.5 * (u + 1)) % 2 == 0),
            lambda: box & ((np.floor(2 * (u + 1)) + np.floor(2 * (v + 1))) % 2 == 0),
            lambda: box & (abs(abs(u) - abs(v)) < 0.35),
            lambda: np.hypot(abs(u) - 0.5, v) < 0.42,
        )
        low, high = rng.uniform(0.05, 0.35), rng.uniform(0.65, 0.95)
        image[0] = np.where(masks[kind](), high, low) + rng.normal(0, 0.03, (side, side))
    return torch.from_numpy(images.clip(0, 1)), torch.from_numpy(classes)


def view(x):
    """A random crop, flip, inversion, brightness, contrast and noise of each picture."""
    n, one = len(x), (len(x), 1, 1, 1)
    area, shape = torch.empty(n).uniform_(0.4, 1), torch.empty(n).uniform_(-0.29, 0.29).exp()
    width, height = (area * shape).sqrt().clamp(max=1), (area / shape).sqrt().clamp(max=1)
    frame = torch.zeros(n, 2, 3)
    frame[:, 0, 0] = width * torch.where(torch.rand(n) < 0.5, -1.0, 1.0)
    frame[:, 0, 2] = torch.empty(n).uniform_(-1, 1) * (1 - width)
    frame[:, 1, 1] = height
    frame[:, 1, 2] = torch.empty(n).uniform_(-1, 1) * (1 - height)
    x = F.grid_sample(x, F.affine_grid(frame, x.shape, align_corners=False), padding_mode="reflection", align_corners=False)
    x = torch.where(torch.rand(one) < 0.5, 1 - x, x) * torch.empty(one).uniform_(0.6, 1.4)
    mean = x.mean((2, 3), keepdim=True)
    x = (x - mean) * torch.empty(one).uniform_(0.6, 1.4) + mean + 0.05 * torch.randn_like(x)
    return (x - 0.5) / 0.25


def self_supervised(steps=700, batch=128):
    rng = np.random.default_rng(1)
    (train, classes), (test, answers) = shapes(4000, rng), shapes(1000, rng)
    net = Byol(small_encoder(), 64, 128, 64, False)
    for step in range(steps + 1):
        if step:
            rows = torch.randint(len(train), (batch,))
            loss = net.step([view(train[rows]) for _ in range(2)])
        if step and step % 10 == 0:
            values, vectors = torch.linalg.eigh(net.F.double())
            w = net.predictor.weight.detach().double()
            aligned = F.cosine_similarity(w @ vectors, vectors, dim=0)
            torch.linalg.eigvals(w)
        if step % 50 == 0:
            net.online.eval()
            with torch.no_grad():
                a, b = (torch.cat([net.online[0]((part - 0.5) / 0.25) for part in x.split(500)]) for x in (train[:2000], test))
            net.online.train()
            near = (F.normalize(b) @ F.normalize(a).T).topk(20)
            votes = torch.zeros(len(b), 10).scatter_add_(1, classes[:2000][near.indices], (near.values / 0.1).exp())
            mean, spread = a.mean(0), a.std(0) + 1e-4
            a, b = (torch.cat([(x - mean) / spread, torch.ones(len(x), 1)], 1).double() for x in (a, b))
            w = torch.linalg.solve(a.T @ a + 10 * torch.eye(65).double(), a.T @ F.one_hot(classes[:2000], 10).double())
            knn, probe = ((found == answers).double().mean().item() for found in (votes.argmax(1), (b @ w).argmax(1)))
    return f"loss {loss:.3f}, aligned {aligned.mean():.2f}, kNN {knn:.2f}, probe {probe:.2f}"


def lesions(count, rng, side=64):
    """Dark blobs in speckle, [count, 3, side, side], and their masks."""
    y, x = np.mgrid[0:side, 0:side] / side
    images, masks = np.empty((count, 3, side, side), np.float32), np.empty((count, 1, side, side), np.float32)
    for image, mask in zip(images, masks):
        cx, cy, angle = *rng.uniform(0.3, 0.7, 2), rng.uniform(0, np.pi)
        a, b = rng.uniform(0.08, 0.25, 2)
        u, v = (x - cx) * np.cos(angle) + (y - cy) * np.sin(angle), (y - cy) * np.cos(angle) - (x - cx) * np.sin(angle)
        mask[0] = (u / a) ** 2 + (v / b) ** 2 < 1 + 0.2 * np.sin(5 * np.arctan2(v, u))
        image[:] = ndimage.gaussian_filter((0.6 - 0.35 * mask[0]) * rng.gamma(8, 1 / 8, (side, side)), 0.7)
    return torch.from_numpy(images), torch.from_numpy(masks)


def smoothed_dice(p, t):
    p, t = p.flatten(1), t.flatten(1)
    return 1 - ((2 * (p * t).sum(1) + 1) / (p.sum(1) + t.sum(1) + 1)).mean()


def scores(net, images, masks):
    """The loss, and mean Dice, IoU and HD95 of the largest part with its holes filled."""
    net.eval()
    with torch.no_grad():
        p = torch.cat([torch.sigmoid(net(part)) for part in images.split(8)])
        loss = smoothed_dice(p, masks).item()
    net.train()
    found = p[:, 0].numpy() > 0.5
    all_scores = []
    for p, t in zip(found, masks[:, 0].numpy() > 0.5):
        labels, parts = ndimage.label(p, np.ones((3, 3)))
        if parts > 1:
            p = labels == 1 + np.bincount(labels.ravel())[1:].argmax()
        p = ndimage.binary_fill_holes(p)
        both, one = (p & t).sum(), p.sum() + t.sum()
        hd = np.nan
        if p.any() and t.any():
            p, t = (m ^ ndimage.binary_erosion(m) for m in (p, t))
            hd = np.percentile(np.hstack([ndimage.distance_transform_edt(~t)[p], ndimage.distance_transform_edt(~p)[t]]), 95)
        all_scores.append((2 * both / max(one, 1), both / max(one - both, 1), hd))
    return loss, *np.nanmean(all_scores, 0)


def segmentation(steps=450, batch=8):
    rng = np.random.default_rng(1)
    (images, masks), validation, test = lesions(72, rng), lesions(24, rng), lesions(24, rng)
    net = UNet(0, 0, base=8)
    optimizer = torch.optim.Adam(net.parameters(), 2e-3)
    per_epoch, best = len(images) // batch, float("inf")
    for step in range(steps):
        if step % per_epoch == 0:
            order = torch.randperm(len(images))
        rows = order[step % per_epoch * batch :][:batch]
        loss = smoothed_dice(torch.sigmoid(net(images[rows])), masks[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if (step + 1) % per_epoch == 0:
            judged = scores(net, *validation)[0]
            if judged < best:
                best, weights = judged, copy.deepcopy(net.state_dict())
    net.load_state_dict(weights)
    return "loss {:.3f}, Dice {:.2f}, IoU {:.2f}, HD95 {:.1f}".format(*scores(net, *test))


RUNS = {"self-supervised": self_supervised, "segmentation": segmentation}

if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in RUNS:
        sys.exit("\n".join(RUNS))
    start = time.perf_counter()
    found = RUNS[sys.argv[1]]()
    print(f"seconds {time.perf_counter() - start:.2f} {found}")
