"""The model every client trains, and the one compiled step that trains it for all of them.

A federation of twenty clients needs twenty *trainings*, not twenty models: building a Keras model
or tracing a TensorFlow function costs more than an epoch on 200 images. `LocalTrainer` keeps one
model and one compiled epoch. It goes from one flat vector of parameters to another and keeps
nothing in between, so several threads may call it at once.
"""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
import tensorflow as tf

from .vocabulary import Images, Labels, Params


def small_cnn(
    image_shape: Sequence[int] = (28, 28, 1), n_classes: int = 10, *, rng: np.random.Generator
) -> keras.Model:
    """Two convolutions with max-pooling, one dense layer, and one logit a class.

    Parameters
    ----------
    image_shape
        (height, width, channels) of one image, in pixels.
    n_classes
        Number of logits.
    rng
        Draws the seeds of the initial weights, so that they are the caller's and not ambient.

    Returns
    -------
    keras.Model
        float32, (n, height, width, channels) to (n, n_classes); 56,714 parameters for 28 x 28 x 1
        and ten classes.

    Notes
    -----
    The architecture is the one that Rodríguez-Barroso et al. (2022) describe, at a size for two
    cores.

    Examples
    --------
    >>> import numpy as np
    >>> small_cnn(rng=np.random.default_rng(0)).count_params()
    56714
    """
    init = [keras.initializers.GlorotUniform(int(s)) for s in rng.integers(2**31, size=4)]
    layer = keras.layers
    return keras.Sequential(
        [
            keras.Input(tuple(image_shape)),
            layer.Conv2D(16, 3, activation="relu", kernel_initializer=init[0], name="conv1"),
            layer.MaxPooling2D(name="pool1"),
            layer.Conv2D(32, 3, activation="relu", kernel_initializer=init[1], name="conv2"),
            layer.MaxPooling2D(name="pool2"),
            layer.Flatten(name="flatten"),
            layer.Dense(64, activation="relu", kernel_initializer=init[2], name="dense"),
            layer.Dense(n_classes, kernel_initializer=init[3], name="logits"),
        ]
    )


class LocalTrainer:
    """One Keras model and one compiled step of plain SGD, shared by every client.

    Parameters
    ----------
    model
        (n, height, width, channels) float32 images to (n, n_classes) logits. All of its variables
        must be trainable: statistics such as batch normalisation's are not averaged here.
    learning_rate
        Step length of SGD.
    batch_size
        Images a step; a client's last batch is smaller where its samples do not divide.

    Raises
    ------
    ValueError
        If the model has variables that are not trained.

    Notes
    -----
    SGD without momentum keeps nothing between steps, so nothing leaks from client to client.
    McMahan et al. (2017), arXiv 1602.05629.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> trainer = LocalTrainer(small_cnn((12, 12, 1), 3, rng=rng))
    >>> x, y = rng.uniform(size=(6, 12, 12, 1)).astype(np.float32), np.arange(6) % 3
    >>> update = trainer.train(trainer.initial_params, x, y, rng=rng) - trainer.initial_params
    >>> update.shape == (trainer.n_params,)
    True
    """

    def __init__(
        self, model: keras.Model, *, learning_rate: float = 0.2, batch_size: int = 20
    ) -> None:
        if model.non_trainable_variables:
            names = ", ".join(v.path for v in model.non_trainable_variables)
            raise ValueError(f"the model has variables that training would not send: {names}")
        tf.config.experimental.enable_op_determinism()
        self.learning_rate, self.batch_size = learning_rate, batch_size
        self.layers = {v.path: tuple(v.shape) for v in model.trainable_variables}
        self.initial_params = np.concatenate([w.ravel() for w in model.get_weights()])
        sizes = [int(np.prod(shape)) for shape in self.layers.values()]
        self._ends = np.cumsum(sizes)
        flat = tf.TensorSpec((self.n_params,), tf.float32)
        images = tf.TensorSpec((None, *model.input_shape[1:]), tf.float32)
        targets = tf.TensorSpec((None,), tf.int64)
        scalar = tf.TensorSpec((), tf.int32)

        def layers_of(params: tf.Tensor) -> list[tf.Tensor]:
            parts = tf.split(params, sizes)
            return [tf.reshape(p, s) for p, s in zip(parts, self.layers.values(), strict=True)]

        # A graph of its own: in the loop's, TensorFlow's pass for oneDNN comes upon the gradient of
        # a pooling before the pooling itself, and leaves it a kernel that is a third of a step.
        @tf.function(experimental_attributes={"_noinline": True})  # type: ignore[untyped-decorator]
        def gradients(layers: list[tf.Tensor], x: tf.Tensor, y: tf.Tensor) -> list[tf.Tensor]:
            with tf.GradientTape() as tape:
                tape.watch(layers)
                scores, _ = model.stateless_call(layers, [], x, training=True)
                loss = tf.nn.sparse_softmax_cross_entropy_with_logits(y, scores)
                loss = tf.reduce_mean(loss)
            return tape.gradient(loss, layers)

        @tf.function(input_signature=[flat, images, targets])  # type: ignore[untyped-decorator]
        def epoch(params: tf.Tensor, x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
            layers = layers_of(params)
            # The loop is in the graph: a call from Python costs a fifth of a step.
            for start in tf.range(0, tf.shape(y)[0], batch_size):
                steps = gradients(
                    layers, x[start : start + batch_size], y[start : start + batch_size]
                )
                layers = [w - learning_rate * g for w, g in zip(layers, steps, strict=True)]
            return tf.concat([tf.reshape(w, [-1]) for w in layers], axis=0)

        @tf.function(input_signature=[flat, images, scalar])  # type: ignore[untyped-decorator]
        def logits(params: tf.Tensor, x: tf.Tensor, size: tf.Tensor) -> tf.Tensor:
            layers, found = layers_of(params), tf.zeros((0, model.output_shape[-1]))
            for start in tf.range(0, tf.shape(x)[0], size):
                tf.autograph.experimental.set_loop_options(
                    shape_invariants=[(found, tf.TensorShape([None, found.shape[1]]))]
                )
                batch = x[start : start + size]
                scores = model.stateless_call(layers, [], batch, training=False)[0]
                found = tf.concat([found, scores], axis=0)
            return found

        # Traced here, once: called as functions, every new trainer would count as a retracing of
        # the last one's, and TensorFlow would warn of it.
        self._epoch, self._logits = epoch.get_concrete_function(), logits.get_concrete_function()

    @property
    def n_params(self) -> int:
        """Length of the flat parameter vector."""
        return int(self._ends[-1])

    def unflatten(self, vector: Params) -> dict[str, Params]:
        """Name the layers of a (..., n_params) array: views with the layer's shape behind."""
        parts = np.split(vector, self._ends[:-1], axis=-1)
        return {
            name: part.reshape(*vector.shape[:-1], *shape)
            for (name, shape), part in zip(self.layers.items(), parts, strict=True)
        }

    def _check(self, params: Params) -> None:
        if params.shape != (self.n_params,):
            raise ValueError(f"params have shape {params.shape}, the model ({self.n_params},)")

    def train(
        self,
        params: Params,
        x: Images,
        y: Labels,
        *,
        epochs: int = 1,
        rng: np.random.Generator,
    ) -> Params:
        """Train from `params` on one client's samples.

        Parameters
        ----------
        params
            (n_params,) where training starts; not changed.
        x, y
            (n, height, width, channels) float32 images and (n,) int64 labels.
        epochs
            Passes over the samples.
        rng
            Shuffles the samples, anew for each epoch.

        Returns
        -------
        numpy.ndarray
            (n_params,) float32, the parameters after training.
        """
        self._check(params)
        trained: Params = params.copy()
        for _ in range(epochs):
            order = rng.permutation(len(y))
            trained = self._epoch(trained, x[order], y[order]).numpy()
        return trained

    def predict(self, params: Params, x: Images, *, batch_size: int = 100) -> Labels:
        """Label (n, height, width, channels) images by the model at `params`; gives (n,) int64.

        The images are dealt to the cores, and go through the model in batches that its caches hold.
        """
        self._check(params)
        n_parts = max(1, min(os.cpu_count() or 1, len(x) // batch_size))

        def label(part: Images) -> Labels:
            return np.argmax(self._logits(params, part, batch_size).numpy(), axis=-1)

        with ThreadPoolExecutor(n_parts) as pool:
            return np.concatenate(list(pool.map(label, np.array_split(x, n_parts))))
