// SPDX-License-Identifier: MIT
pragma solidity ^0.8.0;

/// A stablecoin for the local chains that behaves as Tether's does where an integration can trip over it:
/// `transfer`, `transferFrom` and `approve` return nothing, an allowance must pass through zero before it is
/// changed, the owner can pause all transfers, block single holders and switch on a fee in basis points.
contract TestUSDT {
    string public constant name = "Tether USD";
    string public constant symbol = "USDT";
    uint8 public constant decimals = 6;

    uint256 private constant UNLIMITED = type(uint256).max;
    uint256 private constant BASIS_POINTS = 10_000;
    uint256 private constant MAX_RATE = 20; // Tether's own ceilings: 0.2 %,
    uint256 private constant MAX_FEE = 50; // at most 50 tokens

    address public owner;
    bool public paused;
    uint256 public totalSupply;
    uint256 public basisPointsRate;
    uint256 public maximumFee;

    mapping(address => uint256) public balanceOf;
    mapping(address => mapping(address => uint256)) public allowance;
    mapping(address => bool) public isBlackListed;

    event Transfer(address indexed from, address indexed to, uint256 value);
    event Approval(address indexed owner, address indexed spender, uint256 value);
    event Issue(uint256 amount);
    event Redeem(uint256 amount);
    event Params(uint256 feeBasisPoints, uint256 maxFee);
    event Pause();
    event Unpause();
    event AddedBlackList(address indexed user);
    event RemovedBlackList(address indexed user);
    event DestroyedBlackFunds(address indexed user, uint256 balance);

    modifier onlyOwner() {
        require(msg.sender == owner, "caller is not the owner");
        _;
    }

    constructor(uint256 initialSupply) {
        owner = msg.sender;
        totalSupply = initialSupply;
        balanceOf[msg.sender] = initialSupply;
        emit Transfer(address(0), msg.sender, initialSupply);
    }

    function transfer(address to, uint256 value) external {
        _move(msg.sender, to, value);
    }

    function transferFrom(address from, address to, uint256 value) external {
        uint256 allowed = allowance[from][msg.sender];
        require(allowed >= value, "allowance is too small");
        if (allowed != UNLIMITED) {
            allowance[from][msg.sender] = allowed - value;
        }
        _move(from, to, value);
    }

    function approve(address spender, uint256 value) external {
        require(value == 0 || allowance[msg.sender][spender] == 0, "set the allowance to zero first");
        allowance[msg.sender][spender] = value;
        emit Approval(msg.sender, spender, value);
    }

    function issue(uint256 amount) external onlyOwner {
        totalSupply += amount;
        balanceOf[owner] += amount;
        emit Issue(amount);
    }

    function redeem(uint256 amount) external onlyOwner {
        balanceOf[owner] -= amount;
        totalSupply -= amount;
        emit Redeem(amount);
    }

    function setParams(uint256 rate, uint256 maxFeeTokens) external onlyOwner {
        require(rate < MAX_RATE && maxFeeTokens < MAX_FEE, "fee is too high");
        basisPointsRate = rate;
        maximumFee = maxFeeTokens * 10 ** decimals;
        emit Params(basisPointsRate, maximumFee);
    }

    function pause() external onlyOwner {
        require(!paused, "already paused");
        paused = true;
        emit Pause();
    }

    function unpause() external onlyOwner {
        require(paused, "not paused");
        paused = false;
        emit Unpause();
    }

    function addBlackList(address user) external onlyOwner {
        isBlackListed[user] = true;
        emit AddedBlackList(user);
    }

    function removeBlackList(address user) external onlyOwner {
        isBlackListed[user] = false;
        emit RemovedBlackList(user);
    }

    function destroyBlackFunds(address user) external onlyOwner {
        require(isBlackListed[user], "not on the list");
        uint256 dirty = balanceOf[user];
        balanceOf[user] = 0;
        totalSupply -= dirty;
        emit DestroyedBlackFunds(user, dirty);
    }

    function transferOwnership(address newOwner) external onlyOwner {
        require(newOwner != address(0), "no owner");
        owner = newOwner;
    }

    function _move(address from, address to, uint256 value) private {
        require(!paused, "transfers are paused");
        require(!isBlackListed[from], "sender is blocked");
        uint256 held = balanceOf[from];
        require(held >= value, "balance is too small");

        uint256 fee = basisPointsRate == 0 ? 0 : (value * basisPointsRate) / BASIS_POINTS;
        if (fee > maximumFee) {
            fee = maximumFee;
        }
        uint256 received = value - fee;
        unchecked {
            balanceOf[from] = held - value;
            balanceOf[to] += received;
        }
        if (fee > 0) {
            balanceOf[owner] += fee;
            emit Transfer(from, owner, fee);
        }
        emit Transfer(from, to, received);
    }
}
