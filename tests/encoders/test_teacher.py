"""The moving average of a module."""

import pytest
import torch
from torch import nn

from maskray.encoders.teacher import Teacher


def test_it_starts_as_a_copy_of_its_own():
    student = nn.Linear(3, 2)
    teacher = Teacher(student, 0.9)
    inputs = torch.randn(4, 3)
    before = student(inputs)
    assert torch.equal(teacher(inputs), before)
    with torch.no_grad():
        student.weight.add_(1.0)
    assert torch.equal(teacher(inputs), before)


def test_each_step_moves_it_by_one_minus_the_momentum():
    student = nn.Linear(1, 1, bias=False)
    student.weight.data.fill_(0.0)
    teacher = Teacher(student, 0.75)
    student.weight.data.fill_(8.0)
    seen = []
    for _ in range(2):
        teacher.follow(student)
        seen.append(teacher.copied.weight.item())
    assert seen == [pytest.approx(2.0), pytest.approx(2.0 + 0.25 * 6.0)]
    assert student.weight.item() == 8.0


def test_buffers_are_taken_as_they_are():
    student = nn.BatchNorm1d(2)
    teacher = Teacher(student, 0.9)
    student(torch.randn(16, 2) + 5)
    teacher.follow(student)
    assert torch.equal(teacher.copied.running_mean, student.running_mean)


def test_no_gradient_and_no_dropout():
    teacher = Teacher(nn.Sequential(nn.Linear(3, 2), nn.Dropout(0.5)), 0.9).train()
    inputs = torch.randn(4, 3, requires_grad=True)
    assert not teacher(inputs).requires_grad
    assert torch.equal(teacher(inputs), teacher(inputs))
    assert not any(parameter.requires_grad for parameter in teacher.parameters())
