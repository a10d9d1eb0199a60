"""One way to say what the API of January 2021, the last one and the stand-in name differently."""

from types import SimpleNamespace


class Dialect:
    def __init__(self, shfl):
        self.shfl = shfl
        self.real = shfl.__name__ == "shfl"
        self.old = not hasattr(shfl.private, "NodesFederation")
        self.labeled = shfl.private.LabeledData
        self.fedavg = shfl.federated_aggregator.FedAvgAggregator

    def federate(self, data, labels):
        """Make a node of each item."""
        if not self.old:
            return self.shfl.private.federated_operation.federate_list(data, labels)
        nodes = self.shfl.private.FederatedData()
        for own in map(self.labeled, data, labels):
            nodes.add_data_node(own)
        return nodes

    def function(self, function):
        """Turn a function into what the API takes for a policy or a transformation."""
        return SimpleNamespace(apply=function) if self.old else function

    def give_model(self, node, model):
        if self.old:
            node.model = model
        else:
            node.set_model(model)

    def distribution(self, kind, data, labels):
        """Make the distribution and the data base below it, split as 4 to 1."""
        base = self.shfl.data_base.data_base
        wrap = base.LabeledDatabase if self.old else base.WrapLabeledDatabase
        database = wrap(data, labels)
        database.load_data()
        return getattr(self.shfl.data_distribution, kind)(database)

    def nodes(self, distribution, **kwargs):
        """Give nodes, test data and test labels."""
        if self.old:
            return distribution.get_federated_data(**kwargs)
        return distribution.get_nodes_federation(**kwargs)

    def aggregate(self, aggregator, params):
        """Call an aggregator as the framework does."""
        return aggregator.aggregate_weights(params) if self.old else aggregator(params)

    def attack(self, percentage, nodes):
        attack = self.shfl.private.FederatedPoisoningDataAttack(percentage)
        if self.old:
            attack.apply_attack(nodes)
        else:
            attack(nodes)
        return attack.adversaries

    def govern(self, model, nodes, aggregator):
        """Give `run(n_rounds, x, y)` and `params()`, the global ones."""
        governments = self.shfl.federated_government
        if self.old:
            government = governments.FederatedGovernment(lambda: model, nodes, aggregator)
            return government.run_rounds, lambda: government.global_model.get_model_params()
        server = self.shfl.private.federated_operation.ServerDataNode(nodes, model, aggregator)
        government = governments.FederatedGovernment(model, nodes, server_node=server)
        return government.run_rounds, server.query_model_params
