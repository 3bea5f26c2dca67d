"""tf.function: when it traces, what it captures, how it differentiates."""

import gc
import threading
import weakref

import numpy as np
import pytest

from modtf import core as tf
from modtf.core.engine.passes import inline

R = tf.raw_ops


def counted(**options):
    """A traced function that adds up its arguments, and the list it adds to at each trace."""
    traces = []

    @tf.function(**options)
    def total(*args):
        traces.append(args)
        result = args[0]
        for item in args[1:]:
            result = result + item
        return result

    return total, traces


def test_traces_once_for_each_dtype_and_shape():
    total, traces = counted()
    for value in (1.0, 2.0, [1.0], [2.0], 1, 2):
        total(tf.constant(value), tf.constant(value))
    assert len(traces) == 3


def test_python_values_are_part_of_the_trace():
    total, traces = counted()
    assert float(total(tf.constant(1.0), 2.0)) == 3.0
    assert float(total(tf.constant(5.0), 2.0)) == 7.0
    assert float(total(tf.constant(1.0), 3.0)) == 4.0
    assert len(traces) == 2


def test_true_one_and_one_point_zero_are_told_apart():
    seen = []

    @tf.function
    def f(x, flag):
        seen.append(flag)
        return x

    for flag in (True, 1, 1.0):
        f(tf.constant(0.0), flag)
    assert [type(flag) for flag in seen] == [bool, int, float]


def test_numpy_arrays_are_tensors():
    total, traces = counted()
    np.testing.assert_array_equal(total(np.float32([1, 2]), np.float32([3, 4])), [4, 6])
    total(np.float32([5, 6]), np.float32([7, 8]))
    assert len(traces) == 1


def test_input_signature_traces_once_and_converts():
    total, traces = counted(input_signature=[tf.TensorSpec([None], tf.float32)] * 2)
    np.testing.assert_array_equal(total([1, 2], [3.0, 4.0]), [4, 6])
    np.testing.assert_array_equal(total(tf.constant([1.0]), tf.constant([2.0])), [3])
    assert len(traces) == 1


@pytest.mark.parametrize("wrong", [[[1.0]], 1.0, tf.constant([1.0], tf.float64)])
def test_input_signature_refuses_what_does_not_fit(wrong):
    total, _ = counted(input_signature=[tf.TensorSpec([None], tf.float32)])
    with pytest.raises(TypeError, match=r"argument 0 of total\(\) is not compatible with its input_signature"):
        total(wrong)


def test_input_signature_in_structures():
    @tf.function(input_signature=[{"a": tf.TensorSpec([], tf.float32), "b": [tf.TensorSpec([], tf.float32)]}])
    def f(inputs):
        return {"sum": inputs["a"] + inputs["b"][0], "nothing": None}

    result = f({"a": 1.0, "b": [2.0]})
    assert float(result["sum"]) == 3.0
    assert result["nothing"] is None


def test_too_long_an_input_signature_is_refused():
    with pytest.raises(TypeError, match="input_signature has 2 entries"):
        tf.function(lambda x: x, input_signature=[tf.TensorSpec([])] * 2)


def test_reduce_retracing_opens_the_sizes_that_change():
    total, traces = counted(reduce_retracing=True)
    for size in range(1, 9):
        assert total(tf.constant(np.ones(size, np.float32))).shape == (size,)
    assert len(traces) == 2


def test_many_traces_warn():
    total, _ = counted()
    with pytest.warns(UserWarning, match="was traced 5 times"):
        for number in range(5):
            total(tf.constant(0.0), number)


def test_arguments_by_keyword_and_default():
    @tf.function
    def f(x, scale=2.0, *, shift=1.0):
        return x * scale + shift

    assert float(f(tf.constant(3.0))) == 7.0
    assert float(f(x=tf.constant(3.0), shift=0.0)) == 6.0
    assert float(f(tf.constant(3.0), tf.constant(10.0), shift=tf.constant(5.0))) == 35.0
    assert f.experimental_get_tracing_count() == 3


def test_wrong_arguments_name_the_signature():
    @tf.function
    def f(x, y):
        return x + y

    with pytest.raises(TypeError, match=r"f\(x, y\)"):
        f(tf.constant(1.0))


def test_variables_are_captured_not_copied():
    variable = tf.Variable(2.0)

    @tf.function
    def f(x):
        return x * variable

    assert float(f(tf.constant(3.0))) == 6.0
    variable.assign(10.0)
    assert float(f(tf.constant(3.0))) == 30.0
    assert f.get_concrete_function(tf.constant(3.0)).variables == (variable,) or (
        f.get_concrete_function(tf.constant(3.0)).variables[0] is variable
    )


def test_assignments_happen_in_program_order():
    variable = tf.Variable(1.0)

    @tf.function
    def f():
        before = variable * 10.0
        variable.assign_add(1.0)
        between = variable * 10.0
        variable.assign(5.0)
        return before, between, variable.value()

    assert [float(value) for value in f()] == [10.0, 20.0, 5.0]
    assert [float(value) for value in f()] == [50.0, 60.0, 5.0]


def test_a_tensor_read_before_an_assignment_keeps_its_value():
    variable = tf.Variable(np.zeros(8, np.float32))
    before = variable.value()
    inside = []

    @tf.function
    def f():
        old = variable.value()
        variable.assign_add(np.ones(8, np.float32))
        return old

    inside.append(f())
    np.testing.assert_array_equal(before, np.zeros(8))
    np.testing.assert_array_equal(inside[0], np.zeros(8))
    np.testing.assert_array_equal(variable, np.ones(8))


def test_closed_over_tensors_are_captured():
    outside = tf.constant([1.0, 2.0])

    @tf.function
    def f(x):
        return x + outside

    np.testing.assert_array_equal(f(tf.constant([1.0, 1.0])), [2, 3])


def test_variables_are_made_on_the_first_call_only():
    class Once(tf.Module):
        variable = None

        @tf.function
        def __call__(self, x):
            if self.variable is None:
                self.variable = tf.Variable(R.Fill(dims=[2], value=3.0), name="made")
            return x * self.variable

    module = Once()
    np.testing.assert_array_equal(module(tf.constant([1.0, 2.0])), [3, 6])
    assert [variable.name for variable in module.variables] == ["made:0"]
    np.testing.assert_array_equal(module(tf.constant(2.0)), [6, 6])

    @tf.function
    def always(x):
        return x * tf.Variable(1.0)

    with pytest.raises(ValueError, match="singleton tf.Variables created on the first call"):
        always(tf.constant(1.0))


def test_a_variable_cannot_start_from_an_argument():
    @tf.function
    def f(x):
        return tf.Variable(x * 2.0) + 1.0

    with pytest.raises(ValueError, match="depends on the argument 'x'"):
        f(tf.constant(1.0))


def test_methods_are_traced_for_each_object_and_do_not_keep_it_alive():
    class Scaled(tf.Module):
        def __init__(self, factor):
            super().__init__()
            self.factor = factor

        @tf.function
        def __call__(self, x):
            return x * self.factor

    two, three = Scaled(2.0), Scaled(3.0)
    assert float(two(tf.constant(1.0))) == 2.0
    assert float(three(tf.constant(1.0))) == 3.0
    assert two.__call__.experimental_get_tracing_count() == 1
    reference = weakref.ref(two)
    del two
    gc.collect()
    assert reference() is None


def test_nested_functions_and_closures_over_symbolic_tensors():
    @tf.function
    def outer(x):
        doubled = x * 2.0

        @tf.function
        def inner(y):
            return y + doubled

        return inner(x) + inner(doubled)

    for value in (1.0, 2.0):
        assert float(outer(tf.constant(value))) == 7.0 * value


def test_an_inner_function_keeps_its_own_trace():
    traces = []

    @tf.function
    def inner(x):
        traces.append(x)
        return R.Tanh(x)

    @tf.function
    def outer(x):
        return inner(x) + inner(x * 2.0)

    expected = np.tanh(np.float32(0.5)) + np.tanh(np.float32(1.0))
    np.testing.assert_allclose(outer(tf.constant(0.5)), expected, rtol=1e-6)
    assert len(traces) == 1


@pytest.mark.parametrize("traced_outside", [False, True])
def test_gradient_through_a_function(traced_outside):
    weight = tf.Variable([[1.0, 2.0], [3.0, 4.0]])

    @tf.function
    def model(x):
        return R.Tanh(R.MatMul(x, weight))

    def loss_and_gradient(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = R.Sum(R.Square(model(x)), [0, 1])
        return tape.gradient(loss, [x, weight])

    x = tf.constant([[0.1, -0.2]])
    run = tf.function(loss_and_gradient) if traced_outside else loss_and_gradient
    dx, dw = run(x)
    y = np.tanh(x.numpy() @ weight.numpy())
    flowing = 2 * y * (1 - y**2)
    np.testing.assert_allclose(dx, flowing @ weight.numpy().T, rtol=1e-5)
    np.testing.assert_allclose(dw, x.numpy().T @ flowing, rtol=1e-5)


@pytest.mark.parametrize("order", [1, 2, 3])
def test_higher_orders_through_a_function(order):
    @tf.function
    def cube(x):
        return x * x * x

    def derivative(function):
        def run(x):
            with tf.GradientTape() as tape:
                tape.watch(x)
                y = function(x)
            return tape.gradient(y, x)

        return run

    function = cube
    for _ in range(order):
        function = derivative(function)
    expected = {1: 12.0, 2: 12.0, 3: 6.0}[order]
    np.testing.assert_allclose(function(tf.constant(2.0)), expected, rtol=1e-6)
    np.testing.assert_allclose(tf.function(function)(tf.constant(2.0)), expected, rtol=1e-6)


def test_gradients_of_some_of_several_outputs():
    @tf.function
    def f(x):
        return x * 2.0, x * x, R.Cast(x, DstT=tf.int32)

    x = tf.constant(3.0)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        first, second, _ = f(x)
    assert float(tape.gradient(first, x)) == 2.0
    assert float(tape.gradient(second, x)) == 6.0
    assert float(tape.gradient([first, second], x)) == 8.0


def test_concrete_functions_take_names_and_positions():
    @tf.function
    def f(x, factor, y):
        return x * factor + y

    concrete = f.get_concrete_function(tf.TensorSpec([None]), 2.0, tf.TensorSpec([None]))
    np.testing.assert_array_equal(concrete(tf.constant([1.0]), 2.0, tf.constant([5.0])), [7])
    np.testing.assert_array_equal(concrete(x=tf.constant([1.0]), y=tf.constant([5.0])), [7])
    assert concrete.structured_outputs.shape == tf.TensorShape([None])
    with pytest.raises(TypeError, match="must be float32 of shape"):
        concrete(tf.constant([[1.0]]), y=tf.constant([5.0]))
    with pytest.raises(TypeError, match="needs the argument 'y'"):
        concrete(tf.constant([1.0]))
    with pytest.raises(TypeError, match="was traced with factor=2.0"):
        concrete(tf.constant([1.0]), 3.0, tf.constant([5.0]))


def test_unknown_sizes_flow_through_the_trace():
    @tf.function(input_signature=[tf.TensorSpec([None, 3])])
    def f(x):
        y = R.MatMul(x, np.ones((3, 2), np.float32))
        assert y.shape == tf.TensorShape([None, 2])
        return R.Reshape(y, R.Pack([R.Shape(x)[0] * 2]))

    assert f(np.ones((4, 3), np.float32)).shape == (8,)


def test_symbolic_tensors_cannot_leave_or_decide():
    leaked = []

    @tf.function
    def leaking(x):
        leaked.append(x * 2.0)
        return x

    leaking(tf.constant(1.0))
    with pytest.raises(TypeError, match="outside that graph|out of scope"):
        leaked[0] + 1.0

    @tf.function(autograph=False)
    def deciding(x):
        return x if x > 0.0 else -x

    with pytest.raises(tf.errors.OperatorNotAllowedInGraphError, match="tf.where"):
        deciding(tf.constant(1.0))


def test_errors_inside_name_the_op_and_the_users_line():
    @tf.function(input_signature=[tf.TensorSpec(None), tf.TensorSpec(None)])
    def f(x, y):
        return R.MatMul(x, y)

    with pytest.raises(tf.errors.InvalidArgumentError, match=r"(?s)\[Op:MatMul\].*test_functions\.py:\d+"):
        f(tf.constant([[1.0]]), tf.constant([[1.0], [2.0]]))


def test_shape_errors_show_while_tracing():
    @tf.function
    def f(x, y):
        return R.MatMul(x, y)

    with pytest.raises(ValueError, match="Matrix size-incompatible"):
        f(tf.constant([[1.0]]), tf.constant([[1.0], [2.0]]))


def test_only_tensors_can_be_returned():
    with pytest.raises(TypeError, match="must return zero or more Tensors"):
        tf.function(lambda: object())()


def test_unused_and_side_effecting_ops():
    variable = tf.Variable(0.0)

    @tf.function
    def f(x):
        R.Tanh(x)
        variable.assign_add(x)

    concrete = f.get_concrete_function(tf.constant(1.0))
    assert f(tf.constant(1.0)) is None
    assert float(variable) == 1.0
    from modtf.core.contracts import optimize

    names = [node.op.name for node in optimize(concrete.graph).nodes]
    assert "Tanh" not in names
    assert "AssignAddVariableOp" in names


def test_many_threads_call_one_function():
    variable = tf.Variable(0.0)

    @tf.function
    def f(x):
        variable.assign_add(x)
        return x * 2.0

    errors = []

    def work(number):
        for _ in range(50):
            if float(f(tf.constant(float(number)))) != 2.0 * number:
                errors.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert float(variable) == 50.0 * sum(range(8))


def test_buffers_are_not_reused_under_a_tensor_that_is_still_needed():
    x = np.random.default_rng(0).normal(size=(16, 16)).astype(np.float32)

    @tf.function
    def f(a):
        b = a + 1.0
        c = R.Reshape(b, [256])  # a view of b
        d = R.Exp(b)
        e = b * 2.0
        return c, d, e, R.Tanh(R.Neg(e))

    a = tf.constant(x)
    for _ in range(2):
        c, d, e, g = f(a)
    b = x + np.float32(1)
    np.testing.assert_allclose(c, b.reshape(-1), rtol=1e-6)
    np.testing.assert_allclose(d, np.exp(b), rtol=1e-6)
    np.testing.assert_allclose(e, b * 2, rtol=1e-6)
    np.testing.assert_allclose(g, np.tanh(-b * 2), rtol=1e-6)
    np.testing.assert_array_equal(a, x)


def test_ops_that_stop_gradients_stop_them_inside_functions():
    @tf.function
    def f(x):
        mask = R.Cast(R.Greater(x, R.ZerosLike(x)), DstT=tf.float32)
        return R.StopGradient(x) * x * mask + R.Floor(x)

    x = tf.constant([2.5, -1.0])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = f(x)
    np.testing.assert_array_equal(tape.gradient(y, x), [2.5, 0])


def test_keyword_arguments_in_any_order():
    @tf.function
    def f(*, b, a):
        return b * 10.0 + a

    assert float(f(b=tf.constant(1.0), a=tf.constant(2.0))) == 12.0
    assert float(f(a=tf.constant(2.0), b=tf.constant(1.0))) == 12.0
    concrete = f.get_concrete_function(b=tf.TensorSpec([]), a=tf.TensorSpec([]))
    assert float(concrete(b=tf.constant(1.0), a=tf.constant(2.0))) == 12.0


def test_a_trace_for_wider_shapes_serves_narrower_ones():
    total, traces = counted()
    total.get_concrete_function(tf.TensorSpec([None]))
    assert total(tf.constant([1.0, 2.0])).shape == (2,)
    assert total(tf.constant([1.0, 2.0, 3.0])).shape == (3,)
    assert len(traces) == 1
    total(tf.constant([[1.0]]))
    assert len(traces) == 2


def test_python_values_beyond_the_input_signature_have_traces_of_their_own():
    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32)])
    def f(x, factor=2.0):
        return x * factor

    assert float(f([1.0])[0]) == 2.0
    assert float(f([1.0], 3.0)[0]) == 3.0
    assert float(f([1.0, 1.0])[0]) == 2.0
    assert f.experimental_get_tracing_count() == 2


def test_calls_that_double_at_each_level_are_not_all_copied():
    def twice(inner):
        return tf.function(lambda x: inner(inner(x)), input_signature=[tf.TensorSpec([], tf.float32)])

    function = tf.function(lambda x: x + 1.0, input_signature=[tf.TensorSpec([], tf.float32)])
    for _ in range(15):
        function = twice(function)
    graph = function.get_concrete_function().graph
    assert len(inline(graph).nodes) < 1 << 14
    assert function(tf.constant(0.0)).numpy() == 1 << 15


def test_names_of_arguments_that_python_does_not_have():
    concrete = tf.function(lambda a, b, c, d: a).get_concrete_function(*[tf.TensorSpec([], tf.float32)] * 4)
    concrete.name_arguments(["class", "a-b", "a-b", "1st"])
    assert list(concrete.function_type.parameters) == ["class_1", "a_b", "a_b_1", "_1st"]
    assert "a_b_1" in repr(concrete)
