"""The shared trainer: parameters in and out of one flat vector, one step for every client."""

from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
import pytest

from rfout.models import LocalTrainer, small_cnn


def rng(seed=0):
    return np.random.default_rng(seed)


def tiny_model(*more):
    layers = keras.layers
    return keras.Sequential(
        [keras.Input((8, 8, 1)), *more, layers.Flatten(), layers.Dense(3, name="logits")]
    )


def separable(n=60, seed=0):
    """Images of three classes: the class's third of the image is bright."""
    y = rng(seed).integers(3, size=n)
    x = rng(seed + 1).uniform(0, 0.3, size=(n, 8, 8, 1)).astype(np.float32)
    for i, label in enumerate(y):
        x[i, 2 * label : 2 * label + 2] += 0.6
    return x, y


def softmax(logits):
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def as_matrix(params):
    """Kernel (64, 3) and bias (3,) of the tiny model, in double."""
    return params[:192].reshape(64, 3).astype(float), params[192:].astype(float)


def loss(params, x, y):
    kernel, bias = as_matrix(params)
    p = softmax(x.reshape(len(x), -1) @ kernel + bias)
    return -np.log(p[np.arange(len(y)), y]).mean()


@pytest.fixture(scope="module")
def trainer():
    return LocalTrainer(tiny_model(), learning_rate=0.5, batch_size=20)


@pytest.fixture(scope="module")
def start():
    return rng(7).normal(scale=0.1, size=195).astype(np.float32)


@pytest.fixture(scope="module")
def cnn():
    return small_cnn(rng=rng())


# The flat vector


def test_parameters_survive_the_round_trip(trainer, start):
    x, y = separable()
    same = trainer.train(start, x[:0], y[:0], rng=rng())
    assert same.tobytes() == start.tobytes()
    assert trainer.n_params == len(start)
    assert same.dtype == np.float32


def test_what_training_gives_is_a_copy(trainer, start):
    x, y = separable()
    first = trainer.train(start, x, y, rng=rng())
    before = first.copy()
    trainer.train(start, x, y, epochs=3, rng=rng())
    np.testing.assert_array_equal(first, before)
    untrained = trainer.train(start, x, y, epochs=0, rng=rng())
    untrained[:] = 0
    assert start.any()


def test_layers_are_views_with_the_names_and_shapes_of_the_model(trainer, start):
    layers = trainer.unflatten(start)
    assert [name.split("/")[-2:] for name in layers] == [["logits", "kernel"], ["logits", "bias"]]
    assert [layer.shape for layer in layers.values()] == [(64, 3), (3,)]
    kernel, bias = layers.values()
    np.testing.assert_array_equal(np.concatenate([kernel.ravel(), bias]), start)
    assert np.shares_memory(kernel, start)
    assert np.shares_memory(bias, start)


def test_layers_are_those_that_keras_holds(cnn):
    layers = LocalTrainer(cnn).unflatten(LocalTrainer(cnn).initial_params)
    assert list(layers) == [v.path for v in cnn.trainable_variables]
    for values, variable in zip(layers.values(), cnn.trainable_variables, strict=True):
        np.testing.assert_array_equal(values, variable.numpy())


@pytest.mark.parametrize("leading", [(4,), (2, 3)])
def test_updates_of_many_clients_unflatten_at_once(trainer, leading):
    updates = rng().normal(size=(*leading, 195)).astype(np.float32)
    layers = list(trainer.unflatten(updates).values())
    assert [layer.shape for layer in layers] == [(*leading, 64, 3), (*leading, 3)]
    first = (0,) * len(leading)
    for whole, alone in zip(layers, trainer.unflatten(updates[first]).values(), strict=True):
        np.testing.assert_array_equal(whole[first], alone)
        assert np.shares_memory(whole, updates)


@pytest.mark.parametrize("shape", [(194,), (196,), (195, 1), (1, 195), ()])
def test_params_of_another_shape_are_an_error(trainer, shape):
    x, y = separable(5)
    wrong = np.zeros(shape, np.float32)
    with pytest.raises(ValueError, match=r"params have shape .*the model \(195,\)"):
        trainer.train(wrong, x, y, rng=rng())
    with pytest.raises(ValueError, match=r"params have shape .*the model \(195,\)"):
        trainer.predict(wrong, x)


# Training


def test_a_step_goes_down_the_gradient_of_the_mean_loss(trainer, start):
    x, y = separable(20)  # one full batch
    kernel, bias = as_matrix(start)
    flat = x.reshape(20, -1).astype(float)
    error = (softmax(flat @ kernel + bias) - np.eye(3)[y]) / 20
    want = np.concatenate([(kernel - 0.5 * flat.T @ error).ravel(), bias - 0.5 * error.sum(axis=0)])
    np.testing.assert_allclose(trainer.train(start, x, y, rng=rng()), want, atol=1e-6)


def test_the_last_batch_is_what_remains(trainer, start):
    x, y = separable(1)
    many = np.repeat(x, 23, axis=0), np.repeat(y, 23)  # equal images: batches of 20 and 3 or not
    twice = trainer.train(trainer.train(start, x, y, rng=rng()), x, y, rng=rng())
    np.testing.assert_allclose(trainer.train(start, *many, rng=rng()), twice, atol=1e-6)


def test_epochs_are_passes_over_the_samples(trainer, start):
    x, y = separable(50)
    generator, params = rng(3), start
    for _ in range(4):
        params = trainer.train(params, x, y, rng=generator)
    assert params.tobytes() == trainer.train(start, x, y, epochs=4, rng=rng(3)).tobytes()


def test_training_lowers_the_loss_and_learns_what_can_be_learnt(trainer, start):
    x, y = separable()
    after = trainer.train(start, x, y, rng=rng())
    assert loss(after, x, y) < 0.8 * loss(start, x, y)
    trained = trainer.train(start, x, y, epochs=30, rng=rng())
    assert loss(trained, x, y) < 0.2
    x_test, y_test = separable(seed=10)
    assert np.mean(trainer.predict(trained, x_test) == y_test) > 0.95


def test_the_same_generator_gives_the_same_bytes(trainer, start):
    x, y = separable()
    first = trainer.train(start, x, y, epochs=2, rng=rng(1))
    trainer.train(first, *separable(33, seed=5), rng=rng(2))  # another client in between
    assert first.tobytes() == trainer.train(start, x, y, epochs=2, rng=rng(1)).tobytes()
    assert first.tobytes() != trainer.train(start, x, y, epochs=2, rng=rng(2)).tobytes()


def test_clients_that_train_at_once_do_not_meet(trainer, start):
    clients = [separable(20 + 7 * i, seed=i) for i in range(8)]

    def train(i):
        return trainer.train(start, *clients[i], epochs=3, rng=rng(i)).tobytes()

    one_by_one = [train(i) for i in range(8)]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(train, range(8))) == one_by_one


def test_arguments_are_not_changed(trainer, start):
    x, y = separable()
    before = [a.copy() for a in (start, x, y)]
    params = start.copy()
    for array in (params, x, y):
        array.setflags(write=False)
    trainer.train(params, x, y, rng=rng())
    trainer.predict(params, x)
    for array, copy in zip((params, x, y), before, strict=True):
        np.testing.assert_array_equal(array, copy)


def test_no_trace_per_client_or_batch(start, monkeypatch):
    model, traces = tiny_model(), []
    forward = model.stateless_call
    monkeypatch.setattr(
        model, "stateless_call", lambda *a, **kw: traces.append(kw) or forward(*a, **kw)
    )
    trainer = LocalTrainer(model, batch_size=16)
    once = list(traces)
    for n in (1, 16, 17, 40, 64):
        x, y = separable(n, seed=n)
        trainer.predict(trainer.train(start, x, y, epochs=2, rng=rng(n)), x)
    assert 0 < len(once) == len(traces)


# Prediction


def test_prediction_is_the_largest_logit_however_it_is_batched(trainer, start):
    x, _ = separable(45)
    kernel, bias = as_matrix(start)
    want = np.argmax(x.reshape(45, -1) @ kernel + bias, axis=1)
    got = trainer.predict(start, x)
    np.testing.assert_array_equal(got, want)
    assert got.dtype == np.int64
    np.testing.assert_array_equal(trainer.predict(start, x, batch_size=7), want)


def test_no_images_have_no_labels(trainer, start):
    assert trainer.predict(start, np.empty((0, 8, 8, 1), np.float32)).shape == (0,)


def test_prediction_takes_the_params_it_is_given(trainer, start):
    x, _ = separable(30)
    always_two = np.zeros(195, np.float32)
    always_two[-1] = 1.0
    trainer.predict(start, x)
    assert trainer.predict(always_two, x).tolist() == [2] * 30


# Models


@pytest.mark.parametrize(
    ("layer", "name"),
    [(keras.layers.BatchNormalization, "moving_mean"), (keras.layers.Dropout, "seed")],
)
def test_a_model_with_variables_that_are_not_trained_is_an_error(layer, name):
    more = [layer(0.5)] if layer is keras.layers.Dropout else [layer()]
    with pytest.raises(ValueError, match=f"would not send: .*{name}"):
        LocalTrainer(tiny_model(*more))


def test_a_frozen_layer_is_an_error():
    model = tiny_model()
    model.get_layer("logits").trainable = False
    with pytest.raises(ValueError, match=r"would not send: .*kernel.*bias"):
        LocalTrainer(model)


def test_the_small_cnn_has_the_size_it_states(cnn):
    assert LocalTrainer(cnn).n_params == 56_714
    assert cnn.input_shape == (None, 28, 28, 1)
    assert cnn.output_shape == (None, 10)
    assert {v.dtype for v in cnn.variables} == {"float32"}


def test_the_small_cnn_takes_other_images_and_classes():
    model = small_cnn((32, 32, 3), 4, rng=rng())
    assert model.input_shape == (None, 32, 32, 3)
    assert model.output_shape == (None, 4)


def test_the_small_cnn_gives_logits_not_probabilities(cnn):
    logits = cnn(rng().random((5, 28, 28, 1), dtype=np.float32)).numpy()
    assert np.any(logits < 0)
    assert not np.allclose(logits.sum(axis=1), 1)


def test_initial_weights_come_from_the_generator_and_not_from_keras(cnn):
    keras.utils.set_random_seed(1)
    again = LocalTrainer(small_cnn(rng=rng(0))).initial_params
    assert again.tobytes() == np.concatenate([w.ravel() for w in cnn.get_weights()]).tobytes()
    keras.utils.set_random_seed(1)
    other = LocalTrainer(small_cnn(rng=rng(1)))
    same_bytes = again == other.initial_params
    for name, layer in other.unflatten(same_bytes).items():
        assert layer.all() if name.endswith("bias") else not layer.any(), name


def test_the_layers_of_the_small_cnn_have_seeds_of_their_own():
    model = small_cnn((28, 28, 16), rng=rng())  # the first two kernels have equal input channels
    first, second = (model.get_layer(f"conv{i}").get_weights()[0].ravel() for i in (1, 2))
    n = min(len(first), len(second))
    assert abs(np.corrcoef(first[:n], second[:n])[0, 1]) < 0.1


def test_trainers_in_a_row_draw_no_warning_of_retracing(caplog):
    x, y = separable()
    with caplog.at_level("WARNING", logger="tensorflow"):
        for _ in range(7):
            another = LocalTrainer(tiny_model())
            another.predict(another.train(another.initial_params, x, y, rng=rng()), x)
    assert caplog.text == ""
