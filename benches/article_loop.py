"""The article's NumPy loops, as written there, timed: nanoseconds per update of each rule on x**2 - y**2.

Usage: article_loop.py ROWS RUNS. Every run has ROWS rows (ROWS - 1 updates); all RUNS are timed together, best of three.
Prints one line per rule: name, nanoseconds per update, last y (so that both sides can be seen to compute the same).
"""

import sys
import time

import numpy as np


def f(theta):
    x = theta[0]
    y = theta[1]
    return x**2 - y**2


def grad_f(theta):
    gradient = np.array([0.0, 0.0])
    gradient[0] += 2 * theta[0]
    gradient[1] += -2 * theta[1]
    return gradient


def table(x, y, rows):
    theta = np.tile([x, y], (rows, 1))
    return theta, np.tile([f(theta[0])], rows)


def momentum_family(x, y, eta, rows, mu, look_ahead):
    theta, z = table(x, y, rows)
    v = np.array([0, 0])
    for k in range(1, rows):
        if look_ahead:
            v = mu * v - eta * grad_f(theta[k - 1] + mu * v)
        else:
            v = mu * v - eta * grad_f(theta[k - 1])
        theta[k] = theta[k - 1] + v
        z[k] = f(theta[k])
    return np.stack((theta[:, 0], theta[:, 1], z), 1)


def adagrad(x, y, eta, rows, eps=1e-8):
    theta, z = table(x, y, rows)
    total = 0
    for k in range(1, rows):
        g = grad_f(theta[k - 1])
        total += g**2
        theta[k] = theta[k - 1] - eta * g / (np.sqrt(total) + eps)
        z[k] = f(theta[k])
    return np.stack((theta[:, 0], theta[:, 1], z), 1)


def rmsprop(x, y, eta, rows, beta=0.9, eps=1e-8):
    theta, z = table(x, y, rows)
    mean_square = 0
    for k in range(1, rows):
        g = grad_f(theta[k - 1])
        mean_square = beta * mean_square + (1 - beta) * g**2
        theta[k] = theta[k - 1] - eta * g / (np.sqrt(mean_square) + eps)
        z[k] = f(theta[k])
    return np.stack((theta[:, 0], theta[:, 1], z), 1)


def adadelta(x, y, eta, rows, rho=0.9, eps=1e-8):
    theta, z = table(x, y, rows)
    a = b = 0
    for k in range(1, rows):
        g = grad_f(theta[k - 1])
        a = rho * a + (1 - rho) * g**2
        delta = -np.sqrt(b + eps) / np.sqrt(a + eps) * g
        b = rho * b + (1 - rho) * delta**2
        theta[k] = theta[k - 1] + delta
        z[k] = f(theta[k])
    return np.stack((theta[:, 0], theta[:, 1], z), 1)


def adam(x, y, eta, rows, beta1=0.9, beta2=0.999, eps=1e-8):
    theta, z = table(x, y, rows)
    m = np.array([0, 0])
    v = np.array([0, 0])
    for k in range(1, rows):
        g = grad_f(theta[k - 1])
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        m_hat = m / (1 - beta1**k)
        v_hat = v / (1 - beta2**k)
        theta[k] = theta[k - 1] - eta * m_hat / (np.sqrt(v_hat) + eps)
        z[k] = f(theta[k])
    return np.stack((theta[:, 0], theta[:, 1], z), 1)


RULES = {
    "sgd": lambda *start: momentum_family(*start, 0.0, False),
    "momentum": lambda *start: momentum_family(*start, 0.9, False),
    "nag": lambda *start: momentum_family(*start, 0.9, True),
    "adagrad": adagrad,
    "rmsprop": rmsprop,
    "adadelta": adadelta,
    "adam": adam,
}


def main():
    rows, runs = int(sys.argv[1]), int(sys.argv[2])
    for name, rule in RULES.items():
        best = float("inf")
        for _ in range(3):
            begin = time.perf_counter()
            for _ in range(runs):
                path = rule(0.5, 1e-4, 0.01, rows)
            best = min(best, time.perf_counter() - begin)
        print(name, best * 1e9 / (runs * (rows - 1)), repr(float(path[-1, 1])))


main()
