"""Python's control flow on tensors in functions."""

from __future__ import annotations

import pytest

from modtf import core as tf


def test_if_else_and_conditional_expressions():
    @tf.function
    def function(x):
        if tf.reduce_sum(x) > 0:
            y = x * 2
        elif x[0] < -10:
            y = x * 0
        else:
            y = -x
        return y if x[1] > 1 else y + 100

    assert function(tf.constant([1, 2])).numpy().tolist() == [2, 4]
    assert function(tf.constant([-1, -2])).numpy().tolist() == [101, 102]
    assert function(tf.constant([-11, -2])).numpy().tolist() == [100, 100]


def test_while():
    @tf.function
    def collatz(n):
        steps = 0
        while n != 1:
            if n % 2 == 0:
                n = n // 2
            else:
                n = 3 * n + 1
            steps += 1
        return steps

    assert int(collatz(tf.constant(27))) == 111
    assert collatz.experimental_get_tracing_count() == 1


def test_for_with_break_and_continue():
    @tf.function
    def function(x):
        total = 0.0
        for value in x:
            if value < 0:
                continue
            if value > 100:
                break
            total += value
        return total

    assert float(function(tf.constant([1.0, -2.0, 3.0, 200.0, 5.0]))) == 4.0


def test_return_from_a_loop_and_from_branches():
    @tf.function
    def first_square_above(x):
        for i in tf.range(10):
            if i * i > x:
                return i
        return -1

    assert [int(first_square_above(tf.constant(x))) for x in (20, 1000)] == [5, -1]

    @tf.function
    def sign(x):
        if x > 0:
            return 1
        if x < 0:
            return -1
        return 0

    assert [int(sign(tf.constant(x))) for x in (5, -5, 0)] == [1, -1, 0]


def test_range_len_and_logic():
    @tf.function
    def function(n, x):
        count = 0
        for i in range(n):
            is_three = i == 3
            if i > 1 and (x[0] > 0 or not is_three):
                count += i
        return count, len(x)

    count, length = function(tf.constant(5), tf.constant([0, 0]))
    assert (int(count), int(length)) == (6, 2)


def test_sorted():
    @tf.function
    def function(x):
        return sorted(x), sorted(x, reverse=True)

    assert [y.numpy().tolist() for y in function(tf.constant([3, 1, 2]))] == [[1, 2, 3], [3, 2, 1]]
    with pytest.raises(ValueError, match="rank 1"):
        function(tf.zeros([2, 2]))


def test_print_under_another_name_prints_values(capsys):
    @tf.function
    def function(x):
        show = print
        show("seen", x, sep="-", flush=True)

    function(tf.constant([3, 1, 2]))
    assert capsys.readouterr().out == "seen-[3 1 2]\n"


def test_functions_that_are_called_are_rewritten_too():
    def helper(a):
        if a > 2:
            return a * 10
        return a

    class Model(tf.Module):
        @tf.function
        def __call__(self, x):
            while x < 1000:
                x = x + helper(x)
            return x

    assert int(Model()(tf.constant(3))) == 3993 or int(Model()(tf.constant(3))) > 1000


def test_attributes_and_items_are_state_too():
    class Holder:
        pass

    @tf.function
    def function(n):
        holder = Holder()
        holder.total = tf.constant(0)
        table = {"a": tf.constant(1)}
        for i in tf.range(n):
            holder.total = holder.total + i
            table["a"] = table["a"] * 2
        return holder.total, table["a"]

    assert [int(item) for item in function(tf.constant(4))] == [6, 16]


def test_a_variable_defined_in_a_loop():
    @tf.function
    def function(n):
        for i in tf.range(n):
            last = i * 2
        return last

    assert int(function(tf.constant(3))) == 4


def test_python_conditions_stay_python():
    @tf.function
    def function(x, double):
        if double:
            x = x * 2
        for _ in range(2):
            x = x + 1
        while len(x.shape) < 2:
            x = x[None]
        return x

    assert function(tf.constant([1]), True).numpy().tolist() == [[4]]


def test_gradients_go_through():
    @tf.function
    def function(x):
        while tf.reduce_sum(x) < 100:
            x = x * x
        return x

    x = tf.constant(3.0)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = function(x)
    assert (float(y), float(tape.gradient(y, x))) == (6561.0, 8 * 3.0**7)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("if x > 0:\n        y = 1\n    return y", "'y' must also be initialized in the else branch"),
        ("if x > 0:\n        return x", "value must also be returned"),
        (
            "y = 1\n    while x > 0:\n        y = 1.5\n        x = x - 1\n    return y",
            "'y' has dtype int32 before the loop",
        ),
        ("y = None\n    if x > 0:\n        y = x\n    return y", "'y' is None at the end of one branch"),
    ],
)
def test_what_cannot_be_an_op(body, message, tmp_path):
    path = tmp_path / "written.py"
    path.write_text(f"def function(x):\n    {body}\n")
    scope: dict = {}
    exec(compile(path.read_text(), str(path), "exec"), scope)
    with pytest.raises((TypeError, ValueError), match=message):
        tf.function(scope["function"])(tf.constant(1))


def test_errors_point_at_the_users_line():
    @tf.function
    def function(x):
        y = x + 1
        return tf.matmul(y, y)

    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        function(tf.ones([2, 3]))
    line = function.python_function.__code__.co_firstlineno + 3
    assert any(f'{__file__}", line {line}, in function' in note for note in caught.value.__notes__)

    @tf.function(input_signature=[tf.TensorSpec(None)])
    def later(x):
        if tf.size(x) > 0:
            x = tf.reshape(x, [7])
        return x

    with pytest.raises(tf.errors.InvalidArgumentError, match=rf"{__file__}:\d+"):
        later(tf.ones([2, 3]))


def test_it_can_be_left_out():
    def function(x):
        if x > 0:
            return x
        return -x

    for left_out in (
        tf.function(function, autograph=False),
        tf.function(tf.autograph.experimental.do_not_convert(function)),
    ):
        with pytest.raises(tf.errors.OperatorNotAllowedInGraphError):
            left_out(tf.constant(1))
    assert "ag__.if_stmt" in tf.autograph.to_code(function)
    tf.config.run_functions_eagerly(True)
    try:
        assert int(tf.function(function, autograph=False)(tf.constant(-3))) == 3
    finally:
        tf.config.run_functions_eagerly(False)


def test_exceptions_by_name():
    @tf.function
    def function(x, fails):
        try:
            if fails:
                raise ValueError("told")
            if x > 0:
                y = x
            else:
                y = -x
        except ValueError as error:
            y = x + len(str(error))
        return y

    assert int(function(tf.constant(-2), False)) == 2
    assert int(function(tf.constant(-2), True)) == 2


def test_what_assignments_return_is_read_when_it_is_used():
    variable = tf.Variable(1.0)

    @tf.function
    def function():
        first, second = variable.assign_add(1.0), variable.assign_add(1.0)
        return first.read_value(), second + 0.0, first

    assert [float(value) for value in function()] == [3.0, 3.0, 3.0]
